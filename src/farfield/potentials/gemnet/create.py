"""A GemNet built anew, from settings or from farfield's model file."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from ase import Atoms

from farfield.potentials.archive import Archive
from farfield.potentials.building import build, rebuild
from farfield.potentials.gemnet.network import GemnetNetwork
from farfield.potentials.gemnet.settings import GemnetSettings
from farfield.potentials.headed import HeadedPotential
from farfield.potentials.network import HeadTable

N_MEASURED = 32  # structures from which the scaling factors are measured


def create_gemnet(
    architecture: str,
    structures: Sequence[Atoms],
    settings: GemnetSettings,
    heads: dict[str, dict[int, float]],
    scales: dict[str, float],
    seed: int,
) -> HeadedPotential:
    """Build an untrained GemNet.

    Parameters
    ----------
    architecture
        ``"gemnet-t"`` or ``"gemnet-dt"``.
    structures
        Training structures; the scaling factors are measured on some of them, evenly spaced.
    settings
        Size and shape.
    heads
        For each head, main head first: isolated-atom energies (eV) by atomic number. All
        heads must have the same elements, which are those the model will know.
    scales
        For each head, the root mean square of the forces, eV/Å.
    seed
        Of the random weights.
    """

    def make(table: HeadTable) -> GemnetNetwork:
        return GemnetNetwork(architecture, settings, table)

    potential = build(make, heads, scales, getattr(torch, settings.dtype), seed)
    network = potential.network
    assert isinstance(network, GemnetNetwork)
    chosen = structures[:: -(-len(structures) // N_MEASURED)]
    for head in heads:
        network.measure_scales(potential.batch(chosen, head))
    return potential


def load(content: Archive, dtype: torch.dtype | None, device: str) -> HeadedPotential:
    """Rebuild a GemNet from farfield's model file."""

    def make(config: dict[str, Any], table: HeadTable) -> GemnetNetwork:
        return GemnetNetwork(content.architecture, GemnetSettings(**config["settings"]), table)

    return rebuild(content, dtype, device, make)
