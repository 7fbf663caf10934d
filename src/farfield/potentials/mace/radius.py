"""A MACE at another radius: a module with its own radial embedding, all weights shared.

Three places of a MACE hold a radius: ``r_max``, by which calculators search neighbours; the
envelope, which ends every message; and the radial basis. ``truncate`` moves the first,
``taper`` the first two, ``rescale`` all three.
"""

from __future__ import annotations

from typing import Any

import torch

from farfield.errors import CapabilityError
from farfield.potentials.contract import CutoffMode
from farfield.potentials.views import LARGEST_SHARE, LEAST_WEIGHT, view


def modes_of(module: Any) -> frozenset[CutoffMode]:
    """The modes that a MACE offers.

    A pair repulsion has envelopes of its own, which would be cut: such a model is not tapered.
    The basis is stretched only where it is of Bessel functions of the distance itself.
    """
    embedding = module.radial_embedding
    modes: set[CutoffMode] = {"truncate"}
    if not hasattr(module, "pair_repulsion_fn"):
        modes.add("taper")
        if hasattr(embedding.bessel_fn, "prefactor") and not hasattr(
            embedding, "distance_transform"
        ):
            modes.add("rescale")
    return frozenset(modes)


def at_radius(module: Any, radius: float, mode: CutoffMode) -> Any:
    """Return a view of ``module`` that ends at ``radius`` (Å); the module stays as it is.

    With ``taper`` and ``rescale`` a larger radius is allowed too, up to 1.25 times: the basis
    is smooth beyond its own radius, and the envelope ends every message smoothly. With
    ``taper`` the basis is then used at distances at which it was not trained.

    Raises
    ------
    CapabilityError
        The output would not change, or the radius is out of range.
    """
    envelope = float(module.radial_embedding.cutoff_fn.r_max)
    if mode == "truncate":
        _require_change(module, radius, envelope)
    elif not 0.0 < radius <= LARGEST_SHARE * envelope:
        raise CapabilityError(
            f"a MACE whose envelope ends at {envelope:g} Å knows nothing of {radius:g} Å: choose a "
            f"radius up to {LARGEST_SHARE * envelope:g} Å"
        )
    elif abs(radius - envelope) < 1e-6:
        raise CapabilityError(f"{radius:g} Å is the model's own radius, and would change nothing")
    changed = view(module)
    changed.r_max = torch.full_like(module.r_max, radius)
    if mode == "truncate":
        return changed
    embedding = changed.radial_embedding = view(module.radial_embedding)
    embedding.cutoff_fn = view(embedding.cutoff_fn)
    embedding.cutoff_fn.r_max = torch.full_like(embedding.cutoff_fn.r_max, radius)
    if mode == "rescale":
        basis = embedding.bessel_fn = view(embedding.bessel_fn)
        share = float(basis.r_max) / radius
        basis.bessel_weights = basis.bessel_weights * share
        basis.prefactor = basis.prefactor * share**0.5
        basis.r_max = torch.full_like(basis.r_max, radius)
    return changed


def _require_change(module: Any, radius: float, envelope: float) -> None:
    """Raise unless edges beyond ``radius`` carry weight."""
    if not 0.0 < radius < min(envelope, float(module.r_max)):
        raise CapabilityError(
            f"a MACE whose envelope ends at {envelope:g} Å gives edges beyond that no weight, so "
            f"to truncate at {radius:g} Å would change nothing: choose a smaller radius"
        )
    weight = float(module.radial_embedding.cutoff_fn(torch.tensor([[radius]]).to(module.r_max)))
    if weight < LEAST_WEIGHT:
        raise CapabilityError(
            f"edges longer than {radius:g} Å have {weight:.1%} of their weight or less, so to drop "
            "them would change next to nothing: choose a smaller radius"
        )
