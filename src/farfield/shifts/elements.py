"""The axis of atomic features: elements, and pairs of elements within the cutoff."""

from __future__ import annotations

from collections.abc import Sequence
from typing import final

import numpy as np
import numpy.typing as npt
from ase.data import chemical_symbols

from farfield.graphs import Graph
from farfield.shifts.contract import Detector, Score, State
from farfield.shifts.observation import Observation

_SIZE = len(chemical_symbols)
Ints = npt.NDArray[np.int64]


@final
class Elements(Detector):
    """How rare an atom's element, and its pairs with neighbours, are in training.

    The surprise of an element or pair that a share p of the training structures holds is
    -log10 p; one never seen counts as held by half a structure. An atom scores its largest
    surprise, a structure its largest atom. A pair with an element never seen counts for the
    atom of that element alone, not for its neighbours.
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
        pair_counts = np.zeros(_SIZE**2)
        for observation in observations:
            element_counts[np.unique(observation.graph.numbers)] += 1
            pair_counts[np.unique(_pairs(observation.graph))] += 1
        pairs = np.flatnonzero(pair_counts)
        return {
            "count": np.array(len(observations)),
            "element_counts": element_counts,
            "pairs": pairs,
            "pair_counts": pair_counts[pairs],
        }

    def score(self, observation: Observation, state: State) -> Score:
        graph = observation.graph
        count = float(state["count"])
        pair_counts = np.zeros(_SIZE**2)
        pair_counts[state["pairs"].astype(int)] = state["pair_counts"]
        own = _surprise(state["element_counts"][graph.numbers], count)  # (N,)
        pairs = _pairs(graph)  # (E,)
        bonds = _surprise(pair_counts[pairs], count)  # (E,)
        atoms = own.copy()
        # A neighbour of an unseen element is that atom's oddity, not this one's.
        seen_neighbour = (
            np.asarray(state["element_counts"], dtype=float)[graph.numbers[graph.receivers]] > 0
        )
        np.maximum.at(atoms, graph.senders[seen_neighbour], bonds[seen_neighbour])
        if own.max() >= atoms.max():
            rarest = np.unique(graph.numbers[own == own.max()])
            what = _listed([chemical_symbols[number] for number in rarest])
            what += " is in" if len(rarest) == 1 else " are each in"
            seen = state["element_counts"][rarest[0]]
        else:
            rarest_pair = int(pairs[bonds == bonds.max()].min())
            first, second = divmod(rarest_pair, _SIZE)
            what = f"the pair {chemical_symbols[first]}-{chemical_symbols[second]}"
            what += f" within {graph.cutoff:g} Å is in"
            seen = pair_counts[rarest_pair]
        return Score(float(atoms.max()), atoms, f"{what} {_share(int(seen), int(count))}")


def _pairs(graph: Graph) -> Ints:
    """The two atomic numbers of each edge as one, _SIZE * smaller + larger, shape (E,)."""
    first, second = graph.numbers[graph.senders], graph.numbers[graph.receivers]
    return np.asarray(_SIZE * np.minimum(first, second) + np.maximum(first, second))


def _surprise(counts: np.ndarray, total: float) -> np.ndarray:
    return np.asarray(np.abs(np.log10(np.maximum(counts, 0.5) / total)))


def _share(count: int, total: int) -> str:
    if count == 0:
        return "no training structure"
    if count == total:
        return "every training structure"
    return f"{count} of {total} training structures"


def _listed(words: list[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"
