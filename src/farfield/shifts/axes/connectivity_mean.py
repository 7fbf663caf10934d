"""The axis of connectivity against the mean of training."""

from __future__ import annotations

from typing import TYPE_CHECKING, final

import numpy as np

from farfield.shifts.contract import Described, Detector, Floats, Score, State
from farfield.shifts.remembered.densities import blocks, decoded, distances, local_distances

if TYPE_CHECKING:
    from farfield.shifts.remembered.memory import Memory


@final
class MeanConnectivity(Detector):
    """Wasserstein-1 distance of the spectral density to the mean density of training.

    An atom's score is the distance of its local density to the same mean.
    """

    axis = "connectivity_mean"
    title = "Connectivity against the mean"
    unit = "Wasserstein-1 distance of Laplacian spectra"
    explanation = (
        "Distance between the spectrum of the structure's graph Laplacian and the mean spectrum "
        "of training; edges count by the weight of their messages."
    )

    def missing(self, seen: Described) -> str | None:
        return None

    def fit(self, memory: Memory) -> State:
        mean = memory.totals.density / memory.totals.count  # codes, no longer whole
        return {"density": mean, "local": blocks(decoded(mean))}

    def score(self, seen: Described, state: State) -> Score:
        distance = float(distances(seen.density[None], state["density"][None])[0, 0])
        local = seen.local_densities
        atoms: Floats = np.zeros(0)
        if len(local):
            atoms = local_distances(local, state["local"][None])[:, 0]
        return Score(
            structure=distance,
            atoms=atoms,
            reason=f"its graph's spectrum lies {distance:.4f} from the mean of training",
        )
