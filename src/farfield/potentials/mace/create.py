"""A new, untrained MACE."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import torch
from pydantic import BaseModel, ConfigDict

from farfield.potentials.mace.adapter import MacePotential
from farfield.potentials.mace.config import build


class MaceSettings(BaseModel):
    """Size and shape of a MACE; the defaults give a small model for a laptop.

    Names follow Batatia et al., "MACE" (arXiv 2206.07697).
    """

    model_config = ConfigDict(extra="forbid")

    cutoff: float = 4.5  # Å
    channels: int = 32
    max_L: int = 0  # order of the messages' equivariance
    max_ell: int = 2  # order of the spherical harmonics
    correlation: int = 2
    n_interactions: int = 2
    n_bessel: int = 8
    readout_width: int = 16
    radial_widths: list[int] = [32, 32]
    dtype: Literal["float32", "float64"] = "float32"


def create_mace(
    settings: MaceSettings,
    heads: dict[str, dict[int, float]],
    scales: dict[str, float],
    mean_neighbours: float,
    seed: int,
) -> MacePotential:
    """Build an untrained MACE.

    Parameters
    ----------
    settings
        Size and shape.
    heads
        For each head, main head first: isolated-atom energies (eV) by atomic number. All
        heads must have the same elements, which are those the model will know.
    scales
        For each head, the root mean square of the forces, eV/Å.
    mean_neighbours
        Mean number of neighbours of an atom, by which messages are divided.
    seed
        Of the random weights.
    """
    species: Sequence[int] = sorted(next(iter(heads.values())))
    config = {
        "r_max": settings.cutoff,
        "num_bessel": settings.n_bessel,
        "num_polynomial_cutoff": 5,
        "max_ell": settings.max_ell,
        "interaction_cls": "RealAgnosticResidualInteractionBlock",
        "interaction_cls_first": "RealAgnosticResidualInteractionBlock",
        "num_interactions": settings.n_interactions,
        "num_elements": len(species),
        "hidden_irreps": " + ".join(
            f"{settings.channels}x{order}{'eo'[order % 2]}" for order in range(settings.max_L + 1)
        ),
        "edge_irreps": None,
        "MLP_irreps": f"{settings.readout_width}x0e",
        "gate": "silu",
        "use_reduced_cg": True,
        "readout_cls": "NonLinearReadoutBlock",
        "atomic_energies": [[energies[z] for z in species] for energies in heads.values()],
        "avg_num_neighbors": mean_neighbours,
        "atomic_numbers": list(species),
        "correlation": settings.correlation,
        "radial_MLP": settings.radial_widths,
        "radial_type": "bessel",
        "atomic_inter_scale": [scales[head] for head in heads],
        "atomic_inter_shift": [0.0 for _ in heads],
        "heads": list(heads),
    }
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        module = build(config, getattr(torch, settings.dtype))
    return MacePotential(module)
