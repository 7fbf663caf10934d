"""The axis of sorted, padded spectra, as in arXiv 2503.08674."""

from __future__ import annotations

from typing import TYPE_CHECKING, final

import numpy as np

from farfield.errors import ProfileError
from farfield.graphs import padded_distance
from farfield.shifts.contract import Described, Detector, Score, State

if TYPE_CHECKING:
    from farfield.shifts.remembered.memory import Memory


@final
class PaddedSpectrum(Detector):
    """Squared L2 distance of the sorted spectrum, padded with zeros, to the mean of training.

    It grows with the difference in size, and changes when a cell is repeated.
    """

    axis = "spectrum_padded"
    title = "Padded spectrum against the mean"
    unit = "squared L2 distance of spectra"
    explanation = (
        "Squared distance between the sorted spectrum of the plain graph Laplacian, padded with "
        "zeros, and the mean of training."
    )

    def missing(self, seen: Described) -> str | None:
        return "its spectrum was not kept" if seen.spectrum is None else None

    def fit(self, memory: Memory) -> State:
        return {"spectrum": memory.totals.spectrum / memory.totals.spectra}

    def score(self, seen: Described, state: State) -> Score:
        spectrum = seen.spectrum
        if spectrum is None:
            raise ProfileError(f"a structure of {seen.n_atoms} atoms has no spectrum")
        distance = padded_distance(spectrum, state["spectrum"])
        return Score(
            structure=distance,
            atoms=np.full(len(seen.numbers), distance),
            reason=f"its sorted, padded spectrum lies {distance:.2f} from the mean of training",
        )
