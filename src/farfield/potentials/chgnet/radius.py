"""A CHGNet at another radius: a network with its own basis of the atom graph, weights shared."""

from __future__ import annotations

from typing import Any

import torch

from farfield.errors import CapabilityError
from farfield.potentials.chgnet.network import HeadedNetwork
from farfield.potentials.contract import CutoffMode
from farfield.potentials.views import LARGEST_SHARE, LEAST_WEIGHT, view

MODES: frozenset[CutoffMode] = frozenset({"truncate", "taper", "rescale"})


def at_radius(network: HeadedNetwork, radius: float, mode: CutoffMode) -> HeadedNetwork:
    """Return a view of ``network`` for graphs within ``radius`` (Å); the network stays as it is.

    ``truncate`` changes nothing inside: shorter graphs are all. ``taper`` ends the envelope of
    the atom graph at the radius, ``rescale`` stretches its basis too. The bond graph, of the
    angles, has a shorter radius of its own and keeps it.

    Raises
    ------
    CapabilityError
        The output would not change, or the radius is out of range.
    """
    trained = float(network.arguments["atom_graph_cutoff"])
    angles = float(network.arguments["bond_graph_cutoff"])
    basis: Any = network.core.bond_basis_expansion
    if mode == "truncate":
        weight = float(basis.rbf_expansion_ag.smooth_cutoff(torch.tensor(radius)))
        if not 0.0 < radius < trained or weight < LEAST_WEIGHT:
            raise CapabilityError(
                f"a CHGNet trained with {trained:g} Å gives edges longer than {radius:g} Å "
                f"{max(weight, 0.0):.1%} of their weight or less, so to drop them would change "
                "next to nothing: choose a smaller radius"
            )
        return network
    if abs(radius - trained) < 1e-6:
        raise CapabilityError(f"{radius:g} Å is the model's own radius, and would change nothing")
    if not angles <= radius <= LARGEST_SHARE * trained:
        raise CapabilityError(
            f"a CHGNet trained with {trained:g} Å, whose angles reach {angles:g} Å, knows nothing "
            f"of {radius:g} Å: choose a radius between {angles:g} and {LARGEST_SHARE * trained:g} Å"
        )
    changed: Any = view(network)
    core = changed.core = view(network.core)
    core.bond_basis_expansion = view(basis)
    radial = core.bond_basis_expansion.rbf_expansion_ag = view(basis.rbf_expansion_ag)
    radial.smooth_cutoff = view(radial.smooth_cutoff)
    radial.smooth_cutoff.cutoff = radius
    if mode == "rescale":
        radial.inv_cutoff = 1.0 / radius
        radial.norm_const = (2.0 / radius) ** 0.5
        changed.arguments = {**network.arguments, "atom_graph_cutoff": radius}
    return changed  # type: ignore[no-any-return]
