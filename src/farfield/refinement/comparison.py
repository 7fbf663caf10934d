"""What the two heads and the prior say of one structure, compared without a label."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from farfield.potentials import Prediction
from farfield.structures import Labels

WEAK = 0.1  # eV/Å: forces below this say little of a direction


@dataclass(frozen=True)
class Comparison:
    """One structure as the main head, the prior head and the prior see it.

    Attributes
    ----------
    residual
        Root mean square over the force components of prior head minus prior, eV/Å.
    prior
        The same of the prior's forces, eV/Å.
    unexplained
        The part of the prior's forces at right angles to the main head's, over the main
        head's: how much of the prior the model has no counterpart to. Forces of the main head
        count as 0.1 eV/Å at least, for near a minimum the ratio says nothing.
    """

    residual: float
    prior: float
    unexplained: float


def compare(main: Prediction, cheap: Prediction, labels: Labels) -> Comparison:
    """Compare the predictions of both heads with the prior's labels."""
    known = labels.known_forces
    square = float(np.sum(main.forces**2))
    along = float(np.sum(known * main.forces)) / square if square > 0.0 else 0.0
    aside = known - along * main.forces
    return Comparison(
        residual=_rms(cheap.forces - known),
        prior=_rms(known),
        unexplained=_rms(aside) / max(_rms(main.forces), WEAK),
    )


def _rms(values: npt.NDArray[np.float64]) -> float:
    return float(np.sqrt(np.mean(values**2)))
