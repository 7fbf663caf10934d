"""One contract for models; one adapter per architecture, loaded when it is asked for."""

from farfield.potentials.batches import Batch
from farfield.potentials.blackbox import BlackBoxPotential
from farfield.potentials.building import build, rebuild
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
from farfield.potentials.headed import HeadedPotential
from farfield.potentials.network import HeadTable, Local, Network

__all__ = [
    "Batch",
    "BatchPrediction",
    "BlackBoxPotential",
    "Capability",
    "HeadTable",
    "HeadedPotential",
    "Local",
    "Network",
    "Potential",
    "Prediction",
    "TrainablePotential",
    "build",
    "fingerprint",
    "rebuild",
    "require",
    "require_trainable",
]
