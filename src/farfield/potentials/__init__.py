"""One contract for models; one adapter per architecture, loaded when it is asked for."""

from farfield.potentials.blackbox import BlackBoxPotential
from farfield.potentials.contract import (
    BatchPrediction,
    Capability,
    Potential,
    Prediction,
    TrainablePotential,
    require,
    require_trainable,
)
from farfield.potentials.fingerprint import fingerprint

__all__ = [
    "BatchPrediction",
    "BlackBoxPotential",
    "Capability",
    "Potential",
    "Prediction",
    "TrainablePotential",
    "fingerprint",
    "require",
    "require_trainable",
]
