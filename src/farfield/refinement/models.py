"""Load any MODEL, with the refinement rule that its file may carry."""

from __future__ import annotations

from typing import Any

import torch

from farfield.errors import ModelError
from farfield.potentials import Potential
from farfield.potentials.loading import load_potential
from farfield.refinement import adapted_each, correction_rule, radius_rule
from farfield.refinement.corrected import Corrected
from farfield.refinement.radius_refined import RadiusRefined


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
    return ruled(potential, rule, spec) if rule else potential


def ruled(potential: Potential, rule: dict[str, Any], where: str) -> Potential:
    """Return ``potential`` with a rule that was read as plain values from ``where``."""
    kind = rule.get("kind")
    if kind == radius_rule.KIND:
        return RadiusRefined(potential, radius_rule.RadiusRule.from_plain(rule))
    if kind == correction_rule.KIND:
        return Corrected(potential, correction_rule.CorrectionRule.from_plain(rule))
    if kind == adapted_each.KIND:
        return adapted_each.AdaptedEach.from_plain(potential, rule)
    raise ModelError(f"{where}: its refinement rule {kind!r} is not known")
