"""Every mode and criterion of radius refinement on labelled sets, beside the best radius."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, get_args

import numpy as np
import numpy.typing as npt
from ase import Atoms

from farfield.benchmarks.results.metrics import RESAMPLES, structure_force_mae
from farfield.potentials import Potential
from farfield.potentials.contract import CutoffMode
from farfield.priors import Prior
from farfield.refinement import RadiusRefined, RadiusRefinement
from farfield.refinement.radius.evidence import force_errors, make_rule
from farfield.refinement.radius.rule import ASKING, CRITERION_NAMES, Per, RadiusRule
from farfield.shifts import Profile
from farfield.structures import require_labels, without_labels

Floats = npt.NDArray[np.float64]
LEAST_GAIN = 0.02  # of the oracle: below it there is nothing to capture a share of


def judge_set(
    model: Potential,
    structures: Sequence[Atoms],
    modes: Sequence[CutoffMode],
    known: Mapping[str, Floats],
    prior: Prior | None = None,
    cache: Path | None = None,
) -> dict[str, Any]:
    """Compare what each criterion chooses with the radius of the least error, told by labels.

    Parameters
    ----------
    model
        A model with these cutoff modes.
    structures
        Labelled structures.
    modes
        Ways to change the radius.
    known
        What is remembered of the training graphs (:func:`farfield.graphs.references`).
    prior, cache
        The prior whose head the model has, and the folder of the label cache; or None.

    Returns
    -------
    ``untouched``, and by mode: ``radii_A``, ``change_percent_by_radius`` (of the mean force
    MAE), ``oracle`` and each criterion; of these, for one radius per structure, composition and
    set, the :func:`figures`.
    """
    found: dict[str, Any] = {}
    for mode in modes:
        table, errors = _table(model, structures, mode, known, prior, cache)
        before, best = errors[:, -1], errors.min(axis=1)
        rule = make_rule(model, mode, next(iter(known)), known)
        means = errors.mean(axis=0)
        found["untouched"] = _spread(before)
        found[mode] = {
            "radii_A": list(rule.all_radii),
            "change_percent_by_radius": (100 * (means / means[-1] - 1)).tolist(),
            "least_force_mae_eV_per_A": best.tolist(),
            "oracle": {
                per: figures(before, _least(errors, structures, per, rule), best)
                for per in get_args(Per)
            },
        }
        for criterion, distances in table.items():
            rule = make_rule(model, mode, criterion, known, prior)
            found[mode][criterion] = {}
            for per in get_args(Per):
                picked = rule.pick_per(per, structures, distances)
                each = errors[np.arange(len(errors)), picked]
                radii = [rule.all_radii[place] for place in picked]
                told = {"mean_radius_A": float(np.mean(radii))}
                found[mode][criterion][per] = figures(before, each, best) | told
    return found


def judge_gated(
    model: Potential,
    structures: Sequence[Atoms],
    refinements: Mapping[str, RadiusRefinement],
    oracle: Floats,
) -> dict[str, Any]:
    """The same for refinements that act by their own reasons; each also says why.

    ``oracle`` is the least force MAE of each structure, eV/Å.
    """
    bare = without_labels(structures)
    labels = require_labels(structures, purpose="the study")
    before = structure_force_mae(model.predict(bare), labels)
    found = {}
    for name, refinement in refinements.items():
        refined = refinement.refine(model, bare)
        acted = refined.record.acted
        after = structure_force_mae(refined.potential.predict(bare), labels) if acted else before
        found[name] = figures(before, after, oracle) | {
            "acted": acted,
            "mode": refined.record.settings["mode"],
            "criterion": refined.record.settings["criterion"],
            "reasons": refined.record.reasons,
        }
    return found


def figures(before: Floats, after: Floats, best: Floats) -> dict[str, Any]:
    """Change of the mean force MAE, and the share of the best radii's gain, with intervals.

    All three hold the force MAE of each structure, eV/Å, shape (n,): untouched, refined, and
    at its best radius. Intervals are bootstrapped over the structures. The share is None where
    the best radii gain less than 2 %.
    """
    chosen = np.random.default_rng(0).integers(len(before), size=(RESAMPLES, len(before)))
    chosen = np.vstack([np.arange(len(before)), chosen])  # the first row is the sample itself
    old, new, least = (values[chosen].mean(axis=1) for values in (before, after, best))
    there = 1.0 - least[0] / old[0] >= LEAST_GAIN
    return {
        **_spread(after),
        "change_percent": _interval(100 * (new / old - 1)),
        "share_of_oracle": _interval((old - new) / (old - least + 1e-12)) if there else None,
    }


def reference_profile(
    cutoff: float, known: dict[str, Floats], evidence: list[dict[str, Any]] | None
) -> Profile:
    """A profile that holds what radius refinement takes from one, and no axis."""
    header: dict[str, Any] = {"cutoff": cutoff}
    if evidence is not None:
        header["radius"] = evidence
    return Profile({}, header, references=known)


def _table(
    model: Potential,
    structures: Sequence[Atoms],
    mode: CutoffMode,
    known: Mapping[str, Floats],
    prior: Prior | None,
    cache: Path | None,
) -> tuple[dict[str, Floats], Floats]:
    """Distances by criterion, and the errors by labels, each (n, K + 1)."""
    bare = without_labels(structures)
    table: dict[str, Floats] = {}
    for criterion in CRITERION_NAMES:
        if criterion in ASKING:
            continue
        refined = RadiusRefined(model, make_rule(model, mode, criterion, known))
        table[criterion] = refined.distances(bare)
    if prior is not None and prior.name in model.heads:
        rule = make_rule(model, mode, ASKING[0], known, prior)
        table |= RadiusRefined(model, rule, prior, cache).asked(bare, ASKING)
    return table, force_errors(refined, structures)


def _least(errors: Floats, structures: Sequence[Atoms], per: Per, rule: RadiusRule) -> Floats:
    """The errors at the best radii that there are, one for each structure, composition or set."""
    free = replace(rule, margin=0.0)
    return errors[np.arange(len(errors)), free.pick_per(per, structures, errors)]


def _spread(errors: Floats) -> dict[str, float]:
    low, middle, high = 1000 * np.quantile(errors, [0.25, 0.5, 0.75])
    return {
        "n": len(errors),
        "mae_meV_per_A": float(1000 * errors.mean()),
        "median_meV_per_A": float(middle),
        "q25_meV_per_A": float(low),
        "q75_meV_per_A": float(high),
    }


def _interval(values: Floats) -> dict[str, float]:
    low, high = np.quantile(values[1:], [0.025, 0.975])
    return {"value": float(values[0]), "low": float(low), "high": float(high)}
