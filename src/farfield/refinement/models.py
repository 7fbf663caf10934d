"""Load any MODEL, with the refinement rule that its file may carry."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

from farfield.errors import ModelError
from farfield.potentials import Potential, TrainablePotential
from farfield.potentials.loading import load_potential
from farfield.refinement.adaptation import adapted_each
from farfield.refinement.correction import delta
from farfield.refinement.correction import rule as correction_rule
from farfield.refinement.correction.corrected import DELTA, Corrected
from farfield.refinement.radius import rule as radius_rule
from farfield.refinement.radius import table as radius_table
from farfield.refinement.radius.refined import RadiusRefined


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
    if kind == radius_table.KIND:
        table = radius_table.RadiusTable.from_plain(rule)
        return radius_table.RadiusByComposition(potential, table)
    if kind == correction_rule.KIND:
        beside = rule.pop(DELTA, None)
        second = None if beside is None else _second(potential, Path(where).with_name(beside))
        return Corrected(potential, correction_rule.CorrectionRule.from_plain(rule), delta=second)
    if kind == delta.KIND and isinstance(potential, TrainablePotential):
        return delta.Delta(potential, rule["prior"])
    if kind == adapted_each.KIND:
        return adapted_each.AdaptedEach.from_plain(potential, rule)
    raise ModelError(f"{where}: its refinement rule {kind!r} is not known")


def _second(potential: Potential, path: Path) -> delta.Delta:
    """The Δ-model of a correction, whose file is beside the model's."""
    if not path.exists():
        raise ModelError(f"{path} is missing: the Δ-model that belongs to the model beside it")
    assert isinstance(potential, TrainablePotential)  # it was read from a file
    found = load_model(str(path), dtype=potential.dtype, device=str(potential.device))
    if not isinstance(found, delta.Delta):
        raise ModelError(f"{path} is no Δ-model")
    return found
