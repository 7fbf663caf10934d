"""The axis of connectivity with every edge counted alike."""

from __future__ import annotations

from typing import TYPE_CHECKING, final

import numpy as np

from farfield.shifts.axes.connectivity import KEPT_STRUCTURES
from farfield.shifts.contract import Described, Detector, Score, State
from farfield.shifts.remembered.densities import decoded, local_distances
from farfield.shifts.remembered.subsample import spread

if TYPE_CHECKING:
    from farfield.shifts.remembered.memory import Memory


@final
class PlainConnectivity(Detector):
    """The same distance with edges counted instead of weighted."""

    axis = "connectivity_plain"
    title = "Connectivity, edges counted"
    unit = "Wasserstein-1 distance of Laplacian spectra"
    explanation = (
        "Distance between the spectrum of the structure's graph Laplacian and that of the "
        "nearest training structure; every edge within the cutoff counts alike."
    )

    def missing(self, seen: Described) -> str | None:
        return None

    def fit(self, memory: Memory) -> State:
        densities = np.stack([one.plain_density for one in memory.structures.values()])
        return {"densities": densities[spread(decoded(densities), KEPT_STRUCTURES)]}

    def score(self, seen: Described, state: State) -> Score:
        distance = float(local_distances(seen.plain_density[None], state["densities"]).min())
        return Score(
            structure=distance,
            atoms=np.full(len(seen.numbers), distance),
            reason=f"the spectrum of its graph without weights lies {distance:.4f} from the "
            "nearest training spectrum",
        )
