"""Fit the profile of a training set: the verb ``profile``."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

from ase import Atoms

from farfield.errors import ConfigError, ProfileError
from farfield.potentials import Potential, fingerprint
from farfield.priors import Prior, key_of, load_prior
from farfield.refinement import load_model
from farfield.refinement.force_error import LeftOutError, force_error_estimate
from farfield.refinement.radius import EVIDENCE as RADIUS_EVIDENCE
from farfield.shifts import Observation, Profile, force_source
from farfield.shifts.profile import fit, save
from farfield.structures import describe, labels_of, single_level
from farfield.verbs.evidence import learned_radius, learned_rule
from farfield.verbs.inputs import Structures, structures_of
from farfield.verbs.methods import EVIDENCE
from farfield.verbs.observations import observed


def profile(
    train: Structures,
    *,
    model: Potential | str | None = None,
    cutoff: float | None = None,
    prior: Prior | str | None = None,
    calibration: Structures | None = None,
    leave_out: int | None = None,
    leave_out_epochs: int | None = None,
    seed: int = 0,
    workers: int = 1,
    cache: Path | str | None = None,
    output: Path | str | None = None,
    say: Callable[[str], None] = lambda line: None,
) -> Profile:
    """Fit the profile of a training set.

    Parameters
    ----------
    train
        Structures or files; isolated atoms among them are left out.
    model
        The model that was trained on them: its graph, its forces as the proxy for the force
        norm, and its node features.
    cutoff
        Radius of the graph, Å; needed when there is no model, or the model tells none.
    prior
        Beside a model with a head of its name: the axis of the prior residual. Without a
        model: its forces are the proxy for the force norm.
    calibration
        Structures like those in training that the model was *not* fitted to. The null
        distributions of all axes are then theirs; without them these come from the training
        set itself, which is too narrow for the prior residual. Where at least 30 of them carry
        reference labels, the prior residual is calibrated to the force error too.
    leave_out
        Number of groups of compositions that are left out of training in turn, to learn how
        prior correction should choose β, which mode and criterion of radius refinement helps,
        if any does, and what force error to expect beyond the domain of training (with
        ``calibration``). The model is trained again for each; the models are kept in a folder
        beside ``output``, and are not trained twice.
    leave_out_epochs
        Of each of these trainings; None takes as many as the model had.
    seed
        Of the folds that give the null distributions, and of the halves of the calibration.
    workers, cache
        For labelling with the prior.
    output
        The file to write; None writes nothing.
    say
        Told of each training.

    Raises
    ------
    ConfigError
        Neither a model nor a cutoff was given, or a cutoff that is not the model's.
    ProfileError
        Fewer than ten structures, or a structure that stands in both sets.
    """
    if model is None and cutoff is None:
        raise ConfigError("a profile needs --model, or --cutoff (Å) when there is no model")
    given = structures_of(train)
    structures = [atoms for atoms in given if len(atoms) > 1]
    potential = None if model is None else load_model(model, cutoff=cutoff)
    if potential is not None and cutoff is not None and potential.cutoff != cutoff:
        raise ConfigError(
            f"{potential.name} has the cutoff {potential.cutoff} Å, not {cutoff} Å: "
            "leave --cutoff out"
        )
    chosen = None if prior is None else load_prior(prior)
    held_out = None
    if calibration is not None:
        held_out = [atoms for atoms in structures_of(calibration) if len(atoms) > 1]
        _refuse_overlap(structures, held_out)
    labels = [labels_of(atoms) for atoms in [*structures, *(held_out or [])]]
    level = single_level([label for label in labels if label], "a profile")

    def look(at: list[Atoms]) -> list[Observation]:
        return observed(
            at, potential=potential, prior=chosen, cutoff=cutoff, workers=workers, cache=cache
        )

    observations = look(structures)
    judged = None if held_out is None else look(held_out)
    header = {
        "farfield": version("farfield"),
        "n_structures": len(structures),
        "n_held_out": None if held_out is None else len(held_out),
        "cutoff": observations[0].graph.cutoff if observations else None,
        "model": None if potential is None else potential.name,
        "model_fingerprint": None if potential is None else fingerprint(potential),
        "prior": None if chosen is None else chosen.name,
        "force_source": force_source(potential, chosen),
        "level_of_theory": level,
        "error_estimate": "none: no labelled held-out structures were given",
    }
    left_out: list[LeftOutError] = []
    if leave_out is not None:
        target = None if output is None else Path(output)
        asked: dict[str, Any] = {
            "prior": chosen,
            "parts": leave_out,
            "epochs": leave_out_epochs,
            "folder": None if target is None else target.with_name(target.name + ".left-out"),
            "workers": workers,
            "cache": cache,
            "say": say,
        }
        if chosen is not None or potential is None:
            header[EVIDENCE], left_out = learned_rule(given, potential=potential, **asked)
        if potential is not None:
            header[RADIUS_EVIDENCE] = learned_radius(given, potential=potential, **asked)
    fitted = fit(observations, seed=seed, header=header, held_out=judged)
    if held_out is not None and judged is not None:
        calibrated, told = force_error_estimate(fitted, held_out, judged, left_out, seed)
        header = {**fitted.header, "error_estimate": told}
        fitted = replace(fitted, header=header, error_calibration=calibrated)
    if output is not None:
        save(fitted, Path(output))
    return fitted


def _refuse_overlap(train: Sequence[Atoms], held_out: Sequence[Atoms]) -> None:
    known = {key_of(atoms, "") for atoms in train}
    for atoms in held_out:
        if key_of(atoms, "") in known:
            raise ProfileError(
                f"{describe(atoms)} is a training structure too: --calibration takes structures "
                "that the model was not fitted to"
            )
