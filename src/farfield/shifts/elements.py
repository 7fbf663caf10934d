"""The axis of atomic features: elements, and pairs of elements within the cutoff."""

from __future__ import annotations

from typing import TYPE_CHECKING, final

import numpy as np
import numpy.typing as npt
from ase.data import chemical_symbols

from farfield.shifts.contract import ELEMENTS, Described, Detector, Floats, Score, State

if TYPE_CHECKING:
    from farfield.shifts.memory import Memory


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
        if len(bonds) == 0 or own.max() >= bonds.max():
            largest = float(own.max())
            rarest = present[own == own.max()]
            what = _listed([chemical_symbols[number] for number in rarest])
            what += " is in" if len(rarest) == 1 else " are each in"
            held = element_counts[rarest[0]]
        else:
            largest = float(bonds.max())
            rarest_pair = int(pairs[bonds == bonds.max()].min())
            first, second = divmod(rarest_pair, ELEMENTS)
            what = f"the pair {chemical_symbols[first]}-{chemical_symbols[second]}"
            what += f" within {seen.cutoff:g} Å is in"
            held = pair_counts[rarest_pair]
        reason = f"{what} {_share(int(held), int(count))}"
        return Score(largest, self._atoms(seen, state), reason)

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
