"""Size and shape of a GemNet; the defaults are a small model for a laptop."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

ARCHITECTURES = ("gemnet-t", "gemnet-dt")


class GemnetSettings(BaseModel):
    """Sizes, named after what they are the width of.

    The paper (Gasteiger et al., arXiv 2106.08903, Fig. 4) has atom_channels and edge_channels
    128, triplet_channels and bilinear_channels 64, basis_channels 16, n_blocks 4, n_radial 6,
    n_spherical 7 and a cutoff of 5 Å.
    """

    model_config = ConfigDict(extra="forbid")

    cutoff: float = Field(default=4.5, gt=0)  # Å
    atom_channels: int = Field(default=48, ge=1)
    edge_channels: int = Field(default=48, ge=1)
    triplet_channels: int = Field(default=24, ge=1)
    bilinear_channels: int = Field(default=24, ge=1)
    basis_channels: int = Field(default=16, ge=1)
    n_blocks: int = Field(default=2, ge=1)
    n_radial: int = Field(default=6, ge=1)
    n_spherical: int = Field(default=5, ge=2)
    envelope_exponent: int = Field(default=5, ge=2)
    n_before_skip: int = Field(default=1, ge=0)  # residual layers, as are the next three
    n_after_skip: int = Field(default=1, ge=0)
    n_after_atoms: int = Field(default=1, ge=0)
    n_atom: int = Field(default=2, ge=0)
    dtype: Literal["float32", "float64"] = "float32"
