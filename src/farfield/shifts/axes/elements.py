"""The axis of atomic features: elements, and pairs of elements within the cutoff."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, final

import numpy as np
import numpy.typing as npt
from ase.data import chemical_symbols

from farfield.shifts.contract import ELEMENTS, Described, Detector, Floats, Ints, Score, State
from farfield.shifts.observation import pair_codes

if TYPE_CHECKING:
    from farfield.shifts.observation import Observation
    from farfield.shifts.remembered.memory import Memory


@final
class Elements(Detector):
    """How rare an atom's element, and its pairs with neighbours, are in training.

    The surprise of an element or pair that a share p of the training structures holds is
    -log10 p; one never seen counts as held by half a structure. An atom scores its largest
    surprise, a structure its largest atom. A pair with an element never seen counts for the
    atom of that element alone, not for its neighbours.
    """

    axis = "elements"
    default = True
    title = "Elements and element pairs"
    unit = "-log10 of the share of training structures"
    explanation = (
        "The rarest element, or pair of elements within the cutoff: 0 when every training "
        "structure holds it, 1 when one in ten does, the maximum when none does."
    )

    def missing(self, seen: Described) -> str | None:
        return None

    def fit(self, memory: Memory) -> State:
        totals = memory.totals
        return {
            "count": np.array(totals.count),
            "element_counts": totals.elements,
            "pair_counts": totals.pairs,
        }

    def score(self, seen: Described, state: State) -> Score:
        count = float(state["count"])
        element_counts, pair_counts = state["element_counts"], state["pair_counts"]
        present = np.flatnonzero(seen.composition)
        own = _surprise(element_counts[present], count)
        known = (element_counts[np.divmod(seen.pairs, ELEMENTS)[0]] > 0) & (
            element_counts[np.divmod(seen.pairs, ELEMENTS)[1]] > 0
        )
        pairs = seen.pairs[known]
        bonds = _surprise(pair_counts[pairs], count)
        largest = max(float(own.max()), float(bonds.max(initial=0.0)))
        reason = self._reason(seen.cutoff, present, own, pairs, bonds, state)
        return Score(largest, self._atoms(seen, state), reason)

    def _reason(
        self, cutoff: float, numbers: Ints, own: Floats, pairs: Ints, bonds: Floats, state: State
    ) -> str:
        """Name the rarest elements, or the rarest pair, and how many structures hold it."""
        rarest_own = own.max()
        if rarest_own >= bonds.max(initial=0.0):
            rarest = np.unique(numbers[own == rarest_own])
            what = _listed([chemical_symbols[number] for number in rarest])
            what += " is in" if len(rarest) == 1 else " are each in"
            held = state["element_counts"][rarest[0]]
        else:
            rarest_pair = int(pairs[bonds == bonds.max()].min())
            first, second = divmod(rarest_pair, ELEMENTS)
            what = f"the pair {chemical_symbols[first]}-{chemical_symbols[second]}"
            what += f" within {cutoff:g} Å is in"
            held = state["pair_counts"][rarest_pair]
        return f"{what} {_share(int(held), int(state['count']))}"

    def score_all(self, seen: Sequence[Observation], state: State) -> list[Score]:
        if not seen:
            return []
        count = float(state["count"])
        of_elements = _surprise(state["element_counts"], count)
        of_pairs = _surprise(state["pair_counts"], count)
        sizes = [one.n_atoms for one in seen]
        starts = np.concatenate([[0], np.cumsum(sizes)])
        edges = np.concatenate([[0], np.cumsum([one.graph.n_edges for one in seen])])
        numbers = np.concatenate([one.numbers for one in seen])
        shift = np.repeat(starts[:-1], np.diff(edges))
        senders = np.concatenate([one.graph.senders for one in seen]) + shift
        receivers = np.concatenate([one.graph.receivers for one in seen]) + shift
        codes = pair_codes(numbers[senders], numbers[receivers])
        own, bonds = of_elements[numbers], of_pairs[codes]
        seen_before = state["element_counts"][numbers] > 0
        atoms = own.copy()
        np.maximum.at(atoms, senders, np.where(seen_before[receivers], bonds, 0.0))
        bonds[~(seen_before[senders] & seen_before[receivers])] = -1.0
        bond_most = np.zeros(len(numbers))
        np.maximum.at(bond_most, senders, bonds)
        most, own_most, bond_most = (
            np.maximum.reduceat(each, starts[:-1]) for each in (atoms, own, bond_most)
        )
        known: dict[bytes, str] = {}  # the reason, where it lies in the elements alone
        scores = []
        for place, one in enumerate(seen):
            at = slice(starts[place], starts[place + 1])
            edge = slice(edges[place], edges[place + 1])
            parts = (one.cutoff, one.numbers, own[at], codes[edge], bonds[edge], state)
            if own_most[place] < bond_most[place]:
                reason = self._reason(*parts)
            else:
                name = one.numbers.tobytes()
                if name not in known:
                    known[name] = self._reason(*parts)
                reason = known[name]
            scores.append(Score(float(most[place]), atoms[at], reason))
        return scores

    def _atoms(self, seen: Described, state: State) -> Floats:
        """The largest surprise of each atom, shape (n,)."""
        count, element_counts = float(state["count"]), state["element_counts"]
        atoms = _surprise(element_counts[seen.numbers], count)
        places, neighbours, codes = seen.atom_pairs
        # A neighbour of an unseen element is that atom's oddity, not this one's.
        known = element_counts[neighbours] > 0
        bonds = _surprise(state["pair_counts"][codes[known]], count)
        np.maximum.at(atoms, places[known], bonds)
        return atoms


def _surprise(counts: npt.NDArray[np.generic], total: float) -> Floats:
    return np.asarray(np.abs(np.log10(np.maximum(counts, 0.5) / total)))


def _share(count: int, total: int) -> str:
    if count == 0:
        return "no training structure"
    if count == total:
        return "every training structure"
    return f"{count} of {total} training structures"


def _listed(words: list[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"
