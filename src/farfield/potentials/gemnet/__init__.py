"""GemNet-T and GemNet-dT, written from the paper: the adapter and what it needs."""

from farfield.potentials.gemnet.create import create_gemnet, load
from farfield.potentials.gemnet.settings import ARCHITECTURES, GemnetSettings

__all__ = ["ARCHITECTURES", "GemnetSettings", "create_gemnet", "load"]
