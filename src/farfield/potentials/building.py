"""A potential from a network: new, or from farfield's model file."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

from farfield.potentials.archive import Archive
from farfield.potentials.headed import HeadedPotential
from farfield.potentials.network import HeadTable, Network
from farfield.potentials.precision import default_dtype


def build(
    make: Callable[[HeadTable], Network],
    heads: dict[str, dict[int, float]],
    scales: dict[str, float],
    dtype: torch.dtype,
    seed: int,
) -> HeadedPotential:
    """Build an untrained potential.

    Parameters
    ----------
    make
        Makes the network for a table of heads. It is called with torch's default type and
        random generator set, and need not care for either.
    heads
        For each head, main head first: isolated-atom energies (eV) by atomic number. The main
        head's elements are those the model will know.
    scales
        For each head, the root mean square of the forces, eV/Å.
    dtype
        Of the parameters.
    seed
        Of the random weights.
    """
    with torch.random.fork_rng(devices=[]), default_dtype(dtype):
        torch.manual_seed(seed)
        return HeadedPotential(make(HeadTable(heads, scales)))


def rebuild(
    content: Archive,
    dtype: torch.dtype | None,
    device: str,
    make: Callable[[dict[str, Any], HeadTable], Network],
) -> HeadedPotential:
    """Build a potential from what :meth:`HeadedPotential.save` wrote.

    Parameters
    ----------
    content
        What the file holds.
    dtype
        Of the parameters; None keeps the file's.
    device
        ``"cpu"`` or ``"cuda"``.
    make
        Makes the network, with any weights, from :meth:`Network.config` and a table of heads.
    """
    config = dict(content.config)
    names, species = config.pop("heads"), config.pop("species")
    stored = getattr(torch, config.pop("dtype"))
    known = dict.fromkeys(species, 0.0)  # the file's values come with the state
    table = HeadTable(dict.fromkeys(names, known), dict.fromkeys(names, 1.0))
    with torch.random.fork_rng(devices=[]), default_dtype(dtype or stored):
        network = make(config, table)
    potential = HeadedPotential(network, content.metadata)
    potential.restore(content.state)
    network.to(device)
    return potential
