"""SchNet, PaiNN, NequIP and TensorNet (graph-pes): the adapter and what it needs."""

from farfield.potentials.graphpes.create import create_graphpes, load
from farfield.potentials.graphpes.settings import (
    SETTINGS,
    NequipSettings,
    PainnSettings,
    SchnetSettings,
    TensornetSettings,
)

__all__ = [
    "SETTINGS",
    "NequipSettings",
    "PainnSettings",
    "SchnetSettings",
    "TensornetSettings",
    "create_graphpes",
    "load",
]
