"""MACE (mace-torch): the adapter and what it needs."""

from farfield.potentials.mace.adapter import MacePotential
from farfield.potentials.mace.create import MaceSettings, create_mace

__all__ = ["MacePotential", "MaceSettings", "create_mace"]
