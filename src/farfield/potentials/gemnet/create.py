"""A GemNet built anew, from settings or from farfield's model file."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from ase import Atoms

from farfield.potentials import archive
from farfield.potentials.gemnet.network import GemnetNetwork
from farfield.potentials.gemnet.settings import GemnetSettings
from farfield.potentials.headed import HeadedPotential
from farfield.potentials.network import HeadTable
from farfield.potentials.precision import default_dtype

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
    with torch.random.fork_rng(devices=[]), default_dtype(getattr(torch, settings.dtype)):
        torch.manual_seed(seed)
        network = GemnetNetwork(architecture, settings, HeadTable(heads, scales))
    potential = HeadedPotential(network)
    chosen = structures[:: -(-len(structures) // N_MEASURED)]
    for head in heads:
        network.measure_scales(potential.batch(chosen, head))
    return potential


def load(content: archive.Archive, dtype: torch.dtype | None, device: str) -> HeadedPotential:
    """Rebuild a GemNet from farfield's model file."""
    config = content.config
    known = dict.fromkeys(config["species"], 0.0)
    names = config["heads"]
    table = HeadTable(dict.fromkeys(names, known), dict.fromkeys(names, 1.0))
    size = GemnetSettings(**config["settings"])
    stored = getattr(torch, config["dtype"])
    with torch.random.fork_rng(devices=[]), default_dtype(dtype or stored):
        network = GemnetNetwork(content.architecture, size, table)
    potential = HeadedPotential(network, content.metadata)
    potential.restore(content.state)
    network.to(device)
    return potential
