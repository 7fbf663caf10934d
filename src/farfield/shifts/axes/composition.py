"""The axis of composition: the shares of the elements against the nearest in training."""

from __future__ import annotations

from typing import TYPE_CHECKING, final

import numpy as np
from ase.data import chemical_symbols

from farfield.shifts.contract import Described, Detector, Score, State

if TYPE_CHECKING:
    from farfield.shifts.remembered.memory import Memory


@final
class Composition(Detector):
    """Share of the atoms that would have to be others to give the nearest training composition.

    Half the sum of the differences of the elements' shares, so between 0 and 1 and free of
    the size. An atom's score is the surplus of its element, as a share of the atoms of that
    element; the mean over the atoms is the structure's score.
    """

    axis = "composition"
    title = "Composition"
    unit = "share of the atoms"
    explanation = (
        "The share of the atoms that would have to be of another element to give the nearest "
        "composition in training."
    )

    def missing(self, seen: Described) -> str | None:
        return None

    def fit(self, memory: Memory) -> State:
        return {"fractions": memory.compositions.fractions()}

    def score(self, seen: Described, state: State) -> Score:
        own = seen.composition / seen.n_atoms
        surplus = np.maximum(own - state["fractions"], 0.0)  # (K, 119)
        nearest = int(surplus.sum(axis=1).argmin())
        distance = float(surplus[nearest].sum())
        per_atom = np.divide(surplus[nearest], own, out=np.zeros_like(own), where=own > 0)
        known = state["fractions"][nearest]
        shares = ", ".join(
            f"{chemical_symbols[number]} {100 * known[number]:.0f} %"
            for number in np.flatnonzero(known)
        )
        return Score(
            structure=distance,
            atoms=per_atom[seen.numbers],
            reason=f"{100 * distance:.0f} % of its atoms would have to be of another element to "
            f"give the nearest composition in training ({shares})",
        )
