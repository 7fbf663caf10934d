"""CHGNet (chgnet): the adapter and what it needs."""

from farfield.potentials.chgnet.adapter import ChgnetPotential

__all__ = ["ChgnetPotential"]
