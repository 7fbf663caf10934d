"""The axis of connectivity by the unnormalised Laplacian."""

from __future__ import annotations

from typing import TYPE_CHECKING, final

import numpy as np

from farfield.shifts.contract import Described, Detector, Score, State

if TYPE_CHECKING:
    from farfield.shifts.remembered.memory import Memory


@final
class UnnormalisedConnectivity(Detector):
    """The same for the unnormalised Laplacian D − A, which grows with the number of neighbours."""

    axis = "connectivity_unnormalised"
    title = "Connectivity, unnormalised"
    unit = "Wasserstein-1 distance of spectra of D − A"
    explanation = (
        "Distance between the spectrum of the unnormalised graph Laplacian and that of the "
        "nearest training structure; edges count by the weight of their messages."
    )

    def missing(self, seen: Described) -> str | None:
        return None

    def fit(self, memory: Memory) -> State:
        return {"spectra": np.stack([one.unnormalised for one in memory.structures.values()])}

    def score(self, seen: Described, state: State) -> Score:
        gaps = np.abs(state["spectra"] - seen.unnormalised).mean(axis=1)
        distance = float(gaps.min())
        return Score(
            structure=distance,
            atoms=np.full(len(seen.numbers), distance),
            reason=f"the spectrum of its unnormalised Laplacian lies {distance:.3f} from the "
            "nearest training spectrum",
        )
