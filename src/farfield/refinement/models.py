"""Load any MODEL, with the refinement rule that its file may carry."""

from __future__ import annotations

import torch

from farfield.errors import ModelError
from farfield.potentials import Potential
from farfield.potentials.loading import load_potential
from farfield.refinement import radius_rule


def load_model(
    spec: str | Potential,
    *,
    cutoff: float | None = None,
    dtype: torch.dtype | None = None,
    device: str = "cpu",
) -> Potential:
    """Load a model by alias, path or object.

    See :func:`farfield.potentials.loading.load_potential`.

    A file that ``farfield refine`` wrote comes back as the refined model, its rule applied at
    every prediction. A potential is returned as it is.
    """
    if isinstance(spec, Potential):
        return spec
    potential, rule = load_potential(spec, cutoff=cutoff, dtype=dtype, device=device)
    if not rule:
        return potential
    if rule.get("kind") != radius_rule.KIND:
        raise ModelError(f"{spec}: its refinement rule {rule.get('kind')!r} is not known")
    return radius_rule.RadiusRefined(potential, radius_rule.RadiusRule.from_plain(rule))
