"""The axis of atomic features: elements, and pairs of elements within the cutoff."""

from __future__ import annotations

from collections.abc import Sequence
from typing import final

import numpy as np
from ase.data import chemical_symbols

from farfield.graphs import Graph
from farfield.shifts.contract import Detector, Score, State
from farfield.shifts.observation import Observation

_SIZE = len(chemical_symbols)


@final
class Elements(Detector):
    """How rare an atom's element, and its pairs with neighbours, are in training.

    The surprise of an element or pair that a share p of the training structures holds is
    -log10 p; one never seen counts as held by half a structure. An atom scores its largest
    surprise, a structure its largest atom.
    """

    axis = "elements"
    title = "Elements and element pairs"
    unit = "-log10 of the share of training structures"
    explanation = (
        "The rarest element, or pair of elements within the cutoff: 0 when every training "
        "structure holds it, 1 when one in ten does, the maximum when none does."
    )

    def missing(self, observation: Observation) -> str | None:
        return None

    def fit(self, observations: Sequence[Observation]) -> State:
        element_counts = np.zeros(_SIZE)
        pair_counts = np.zeros((_SIZE, _SIZE))
        for observation in observations:
            element_counts[np.unique(observation.graph.numbers)] += 1
            pairs = np.unique(_pairs(observation.graph), axis=0)
            pair_counts[pairs[:, 0], pairs[:, 1]] += 1
        first, second = np.nonzero(pair_counts)
        return {
            "count": np.array(len(observations)),
            "element_counts": element_counts,
            "pairs": np.stack([first, second], axis=1),
            "pair_counts": pair_counts[first, second],
        }

    def score(self, observation: Observation, state: State) -> Score:
        graph = observation.graph
        count = float(state["count"])
        pair_counts = np.zeros((_SIZE, _SIZE))
        pair_counts[state["pairs"][:, 0], state["pairs"][:, 1]] = state["pair_counts"]
        own = _surprise(state["element_counts"][graph.numbers], count)  # (N,)
        pairs = _pairs(graph)  # (E, 2)
        bonds = _surprise(pair_counts[pairs[:, 0], pairs[:, 1]], count)  # (E,)
        atoms = own.copy()
        np.maximum.at(atoms, graph.senders, bonds)
        if own.max() >= atoms.max():
            what = chemical_symbols[graph.numbers[own.argmax()]]
            seen = state["element_counts"][graph.numbers[own.argmax()]]
        else:
            first, second = pairs[bonds.argmax()]
            what = f"the pair {chemical_symbols[first]}-{chemical_symbols[second]}"
            what += f" within {graph.cutoff:g} Å"
            seen = pair_counts[first, second]
        return Score(float(atoms.max()), atoms, f"{what} is in {_share(seen, count)}")


def _pairs(graph: Graph) -> np.ndarray:
    """The two atomic numbers of each edge, the smaller first, shape (E, 2)."""
    ends = np.stack([graph.numbers[graph.senders], graph.numbers[graph.receivers]], axis=1)
    return np.sort(ends, axis=1)


def _surprise(counts: np.ndarray, total: float) -> np.ndarray:
    return np.abs(-np.log10(np.maximum(counts, 0.5) / max(total, 1.0)))


def _share(count: float, total: float) -> str:
    if count == 0:
        return "no training structure"
    return f"{100 * count / total:.2g} % of the training structures"
