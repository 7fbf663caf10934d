"""What the criteria of radius refinement remember of training graphs, gathered one by one.

Criteria that compare with a mean keep a sum; the nearest is sought among the graphs with the
smallest keys. Both can be merged: the order and the parts do not matter.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, final

import numpy as np
import numpy.typing as npt

from farfield.graphs.criteria import CRITERIA
from farfield.graphs.keys import content_key
from farfield.graphs.neighbours import Graph
from farfield.graphs.spectra import padded

Floats = npt.NDArray[np.float64]

KEPT = 128  # training structures that the nearest is sought among


def criteria_of(graph: Graph) -> dict[str, Floats]:
    """What every criterion says of a graph, by its name."""
    return {name: criterion.describe(graph) for name, criterion in CRITERIA.items()}


@final
class References:
    """Sums and small samples of what the criteria say of training graphs."""

    def __init__(self) -> None:
        self.count = 0
        self._sums: dict[str, Floats] = {}
        self._samples: dict[str, dict[int, npt.NDArray[np.float32]]] = {}

    def add(self, key: int, found: Mapping[str, Floats]) -> None:
        """Take in one graph: its key, and what :func:`criteria_of` says of it."""
        self.count += 1
        for name, vector in found.items():
            if CRITERIA[name].averaged:
                self._sums[name] = _sum(self._sums.get(name), vector)
            else:
                sample = self._samples.setdefault(name, {})
                if len(sample) < KEPT or key < max(sample):
                    sample[key] = vector.astype(np.float32)
                    _trim(sample)

    def merged(self, other: References) -> References:
        """What both remember together."""
        both = References()
        both.count = self.count + other.count
        both._sums = dict(self._sums)
        for name, total in other._sums.items():
            both._sums[name] = _sum(both._sums.get(name), total)
        for name in {**self._samples, **other._samples}:
            both._samples[name] = {
                **self._samples.get(name, {}),
                **other._samples.get(name, {}),
            }
            _trim(both._samples[name])
        return both

    def summaries(self) -> dict[str, Floats]:
        """The references of :meth:`farfield.graphs.Criterion.distances`, by criterion."""
        found = {name: total / self.count for name, total in self._sums.items()}
        for name, sample in self._samples.items():
            found[name] = np.stack([sample[key] for key in sorted(sample)]).astype(float)
        return found

    def arrays(self) -> dict[str, npt.NDArray[Any]]:
        """Everything as arrays, for a file."""
        content: dict[str, npt.NDArray[Any]] = {"count": np.array(self.count)}
        content |= {f"sum/{name}": total for name, total in self._sums.items()}
        for name, sample in self._samples.items():
            keys = sorted(sample)
            content[f"keys/{name}"] = np.array(keys, dtype=np.uint64)
            content[f"sample/{name}"] = np.stack([sample[key] for key in keys])
        return content

    @classmethod
    def from_arrays(cls, content: Mapping[str, npt.NDArray[Any]]) -> References:
        """What :meth:`arrays` gave."""
        made = cls()
        made.count = int(content["count"])
        for name in CRITERIA:
            if f"sum/{name}" in content:
                made._sums[name] = content[f"sum/{name}"]
            if f"keys/{name}" in content:
                keys = content[f"keys/{name}"].tolist()
                made._samples[name] = dict(zip(keys, content[f"sample/{name}"], strict=True))
        return made


def references(graphs: Iterable[Graph]) -> dict[str, Floats]:
    """What every criterion remembers of the training graphs, by its name."""
    gathered = References()
    for graph in graphs:
        gathered.add(content_key(graph), criteria_of(graph))
    return gathered.summaries()


def _sum(total: Floats | None, vector: Floats) -> Floats:
    """The sum; sorted spectra of unequal length are padded with zeros in front."""
    if total is None:
        return np.array(vector, dtype=float)
    length = max(len(total), len(vector))
    return padded(total, length) + padded(vector, length)


def _trim(sample: dict[int, npt.NDArray[np.float32]]) -> None:
    for key in sorted(sample)[KEPT:]:
        del sample[key]
