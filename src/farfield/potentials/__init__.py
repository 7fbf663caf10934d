"""One contract for models; one adapter per architecture, loaded when it is asked for."""

from farfield.potentials.batches import Batch
from farfield.potentials.blackbox import BlackBoxPotential
from farfield.potentials.building import build, rebuild
from farfield.potentials.contract import Capability, Potential, Prediction, require
from farfield.potentials.fingerprint import fingerprint
from farfield.potentials.headed import HeadedPotential
from farfield.potentials.network import HeadTable, Local, Network
from farfield.potentials.trainable import BatchPrediction, TrainablePotential, require_trainable

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
