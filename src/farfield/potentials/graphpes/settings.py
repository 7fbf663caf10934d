"""Size and shape of the graph-pes architectures; the defaults are small models for a laptop."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class GraphPesSettings(BaseModel):
    """What all architectures have."""

    model_config = ConfigDict(extra="forbid")

    cutoff: float = Field(default=4.5, gt=0)  # Å
    dtype: Literal["float32", "float64"] = "float32"


class SchnetSettings(GraphPesSettings):
    """SchNet (Schütt et al., arXiv 1706.08566): filters of the distance, scalar features."""

    channels: int = Field(default=64, ge=1)
    layers: int = Field(default=3, ge=1)
    n_gaussians: int = Field(default=50, ge=1)


class PainnSettings(GraphPesSettings):
    """PaiNN (Schütt et al., arXiv 2102.03150): scalar and vector features."""

    channels: int = Field(default=32, ge=1)
    layers: int = Field(default=3, ge=1)
    n_radial: int = Field(default=20, ge=1)


class NequipSettings(GraphPesSettings):
    """NequIP (Batzner et al., arXiv 2101.03164): features of any order, by tensor products."""

    channels: int = Field(default=16, ge=1)
    layers: int = Field(default=3, ge=1)
    max_ell: int = Field(default=1, ge=0)  # order of features and spherical harmonics
    parity: bool = False  # also features that change sign under inversion in the other way
    n_bessel: int = Field(default=32, ge=1)  # also the width of the radial network


class TensornetSettings(GraphPesSettings):
    """TensorNet (Simeon and De Fabritiis, arXiv 2306.06482): features that are matrices."""

    channels: int = Field(default=16, ge=1)
    layers: int = Field(default=1, ge=1)
    n_radial: int = Field(default=16, ge=1)


SETTINGS: Mapping[str, type[GraphPesSettings]] = MappingProxyType(
    {
        "schnet": SchnetSettings,
        "painn": PainnSettings,
        "nequip": NequipSettings,
        "tensornet": TensornetSettings,
    }
)
