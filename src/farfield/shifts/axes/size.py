"""The axis of system size: the number of atoms against the range of training."""

from __future__ import annotations

from typing import TYPE_CHECKING, final

import numpy as np

from farfield.shifts.contract import Described, Detector, Score, State

if TYPE_CHECKING:
    from farfield.shifts.remembered.memory import Memory


@final
class Size(Detector):
    """How many times larger than the largest, or smaller than the smallest, as a logarithm.

    Zero within the range of training. A crystal has as many atoms as its cell is drawn with:
    this axis alone changes with a supercell.
    """

    axis = "size"
    title = "System size"
    unit = "ln of the ratio"
    explanation = (
        "Natural logarithm of the ratio of the number of atoms to the largest in training, or of "
        "the smallest to it; 0 between the two."
    )

    def missing(self, seen: Described) -> str | None:
        return None

    def fit(self, memory: Memory) -> State:
        return {"range": memory.totals.sizes}

    def score(self, seen: Described, state: State) -> Score:
        smallest, largest = (int(size) for size in state["range"])
        distance = max(np.log(seen.n_atoms / largest), np.log(smallest / seen.n_atoms), 0.0)
        return Score(
            structure=float(distance),
            atoms=np.full(len(seen.numbers), float(distance)),
            reason=f"it has {seen.n_atoms} atoms, where training has {smallest} to {largest}",
        )
