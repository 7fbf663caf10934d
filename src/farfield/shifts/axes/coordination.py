"""The axis of coordination: the distribution of the numbers of neighbours."""

from __future__ import annotations

from typing import TYPE_CHECKING, final

import numpy as np

from farfield.shifts.contract import Described, Detector, Score, State

if TYPE_CHECKING:
    from farfield.shifts.remembered.memory import Memory


@final
class Coordination(Detector):
    """Wasserstein-1 distance of the numbers of neighbours to the nearest training structure.

    Neighbours are all atoms within the cutoff, images included. An atom's score is the
    distance of its own number to the nearest one in that training structure.
    """

    axis = "coordination"
    title = "Coordination"
    unit = "neighbours"
    explanation = (
        "Distance between the distribution of the numbers of neighbours within the cutoff and "
        "that of the nearest training structure."
    )

    def missing(self, seen: Described) -> str | None:
        return None

    def fit(self, memory: Memory) -> State:
        return {"counts": np.stack([one.coordination for one in memory.structures.values()])}

    def score(self, seen: Described, state: State) -> Score:
        gaps = np.abs(state["counts"] - seen.coordination).mean(axis=1)  # (K, 32) -> (K,)
        nearest = int(gaps.argmin())
        distance, known = float(gaps[nearest]), state["counts"][nearest]
        return Score(
            structure=distance,
            atoms=np.abs(seen.degrees[:, None] - known[None, :]).min(axis=1),
            reason=f"its atoms have {seen.coordination.mean():.1f} neighbours on average, the "
            f"nearest training structure {known.mean():.1f}; the distributions lie "
            f"{distance:.2f} apart",
        )
