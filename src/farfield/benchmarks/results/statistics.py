"""Errors of structures over several seeds, with intervals; differences of two, paired."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from farfield.benchmarks.results.metrics import RESAMPLES, Estimate

Floats = npt.NDArray[np.float64]
Each = dict[int, list[float]]  # errors of each structure of a set, one for each seed


@dataclass(frozen=True)
class Change:
    """How the errors of one differ from those of another on the same structures.

    Attributes
    ----------
    difference
        Mean difference, in the unit of the errors; negative where the first is better.
    relative
        The change of the mean error as a share; −0.5 is half the error.
    n_structures
        Number of structures, or of pairs of a structure and a seed.
    """

    difference: Estimate
    relative: Estimate
    n_structures: int

    @property
    def verdict(self) -> str:
        """``"lower"``, ``"higher"``, or ``"not settled"`` where the interval holds zero."""
        if self.difference.high < 0.0:
            return "lower"
        return "higher" if self.difference.low > 0.0 else "not settled"


def by_structure(entries: Iterable[Mapping[str, Any]]) -> Each:
    """Errors by place of the structure in its set."""
    found: Each = {}
    for entry in entries:
        for place, value in zip(entry["places"], entry["errors"], strict=True):
            found.setdefault(place, []).append(value)
    return found


def control_after(
    entries: Iterable[Mapping[str, Any]], control: Iterable[Mapping[str, Any]]
) -> Each:
    """Errors on the control of what was made for another set, by structure.

    Only of those structures that ``control``, the results on the control itself, judged with the
    same seed, so that both can be compared.
    """
    judged = {entry["seed"]: entry["places"] for entry in control}
    found: Each = {}
    for entry in entries:
        for place in judged.get(entry["seed"], ()):
            found.setdefault(place, []).append(entry["control"][place])
    return found


def mean_error(sets: Sequence[Each], seed: int = 0) -> Estimate:
    """Mean over sets of the mean over structures of their mean over seeds.

    The 95 % interval is by resampling the structures of every set; what the seeds do to it is
    averaged before.
    """
    random = np.random.default_rng(seed)
    columns = [np.array([np.mean(each) for each in errors.values()]) for errors in sets]
    draws = np.mean([_resampled(column[:, None], random)[:, 0] for column in columns], axis=0)
    return _estimate(float(np.mean([column.mean() for column in columns])), draws)


def median_error(sets: Sequence[Each]) -> float:
    """Mean over sets of the median over structures and seeds; a few that fail do not move it."""
    return float(np.mean([np.median(np.concatenate(list(each.values()))) for each in sets]))


def change(first: Sequence[Each], second: Sequence[Each], seed: int = 0) -> Change:
    """How ``first`` differs from ``second``, set by set on the structures that both have.

    Pairs are resampled together: what makes a structure hard for both counts for neither.
    """
    random = np.random.default_rng(seed)
    pairs, count = [], 0
    for mine, theirs in zip(first, second, strict=True):
        shared = sorted(set(mine) & set(theirs))
        rows = [(np.mean(mine[place]), np.mean(theirs[place])) for place in shared]
        pairs.append(np.array(rows, dtype=float))  # (structures, 2)
        count += len(shared)
    draws = np.mean([_resampled(rows, random) for rows in pairs], axis=0)  # (resamples, 2)
    middle = np.mean([rows.mean(axis=0) for rows in pairs], axis=0)
    return Change(
        _estimate(float(middle[0] - middle[1]), draws[:, 0] - draws[:, 1]),
        _estimate(float(middle[0] / middle[1] - 1.0), draws[:, 0] / draws[:, 1] - 1.0),
        count,
    )


def _resampled(rows: Floats, random: np.random.Generator) -> Floats:
    """Means over resampled rows (n, k), shape (resamples, k)."""
    places = random.integers(len(rows), size=(RESAMPLES, len(rows)))
    return np.asarray(rows[places].mean(axis=1))


def _estimate(value: float, draws: Floats) -> Estimate:
    low, high = np.quantile(draws, [0.025, 0.975])
    return Estimate(value, float(low), float(high))
