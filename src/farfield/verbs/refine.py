"""Refine a model for unlabelled test structures: the verb ``refine``."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from ase import Atoms

from farfield.errors import ConfigError
from farfield.potentials import Potential
from farfield.priors import LabelCache, Prior, default_cache_dir, load_prior
from farfield.refinement import Delta, Refined, load_model
from farfield.refinement.radius.refinement import EVIDENCE as RADIUS_EVIDENCE
from farfield.shifts import Profile
from farfield.shifts.profile_files import load as load_profile
from farfield.structures import without_labels
from farfield.verbs.inputs import Structures, command_line, require_same_model, structures_of
from farfield.verbs.methods import REPLAYING, TAKEN, Given, method_of
from farfield.verbs.refinement_files import write_refinement
from farfield.verbs.replayed import replayed


def refine(
    test: Structures,
    *,
    model: Potential | str,
    method: str,
    profile: Profile | Path | str | None = None,
    prior: Prior | str | None = None,
    replay: Structures | None = None,
    like_training: Structures | None = None,
    delta: Potential | str | None = None,
    seed: int = 0,
    workers: int = 1,
    cache: Path | str | None = None,
    output: Path | str | None = None,
    **options: Any,
) -> Refined:
    """Refine ``model`` for the structures in ``test``, whose labels are never read.

    Parameters
    ----------
    test
        Structures or files; they are stripped to geometry, charge and spin.
    model
        The model; it is not changed.
    method
        ``"radius"`` (needs ``profile`` or ``prior``); ``"ttt"``, ``"correction"`` or
        ``"distil"`` (need ``prior``, whose head the model has; ``ttt`` only for its objectives
        ``prior`` and ``difference``, the default); ``"auto"`` tries what can be had.
    profile
        Profile of the training set, or its file. Correction takes from it how β was learned.
    prior
        The prior whose head the model has.
    replay
        Labelled *training* structures, so that ``ttt`` and ``distil`` do not forget them; None
        takes those that the profile keeps, if it was made with ``coreset``.
    like_training
        Structures from the training domain, whose labels are not used: on them ``distil`` holds
        the model to what it predicts now, and ``correction`` without a profile takes from them
        (or else from ``replay``) how far off the prior head is there.
    delta
        Of ``correction``, and so of ``distil`` and ``auto``: a model trained with the strategy
        ``"delta"`` on top of the same prior, as a second opinion.
    seed, workers, cache
        Of everything random; for labelling with the prior.
    output
        Folder for ``model``, ``record.json``, ``predictions.extxyz`` and ``report.html``; None
        writes nothing. While ``ttt`` and ``distil`` run, it holds what an interrupted run goes
        on from.
    **options
        Of ``ttt``: ``objectives`` (``"prior"``, ``"difference"``, ``"denoise"``,
        ``"consistency"``, ``"anchor"``, several with commas), ``energy_weight``,
        ``anchor_weight``. Of ``ttt`` and ``distil``: ``steps``, ``learning_rate``,
        ``parameters`` (what moves: ``"all"``, ``"early"``, ``"lora"``), ``rank``,
        ``forgetting_limit``, ``project``, ``interpolate``; see
        :class:`farfield.refinement.TestTimeSettings`. Of these two and of
        ``correction``: ``force``, act without a reason. Of ``distil``: ``on``, the structures
        to learn from (``"given"``, ``"rattled"``, ``"md"``). Of ``radius``: ``mode``,
        ``criterion`` (of :class:`farfield.refinement.RadiusRefinement`; given, they are not
        asked for a reason). Of ``radius`` and ``ttt``: ``per``, a radius, or weights, for
        each ``"structure"`` (the default of ``radius``) or for the ``"set"`` (that of ``ttt``).
        Of ``auto``: ``plain``, a model that needs no prior.

    Raises
    ------
    ConfigError
        An unknown method, one that lacks what it needs, or an option that it does not take.
    CapabilityError
        The model cannot be refined in this way.
    """
    structures = without_labels(structures_of(test))
    if not structures:
        raise ConfigError("there is no structure to refine the model for")
    folder = default_cache_dir() if cache is None else Path(cache)
    given = Given(
        profile=load_profile(Path(profile)) if isinstance(profile, (str, Path)) else profile,
        prior=None if prior is None else load_prior(prior),
        replay=None if replay is None else structures_of(replay),
        like_training=None if like_training is None else structures_of(like_training),
        delta=None if delta is None else _delta(delta),
        prior_spec=prior if isinstance(prior, str) else None,
        seed=seed,
        workers=workers,
        cache=folder,
        output=None if output is None else Path(output),
        options=options,
    )
    with LabelCache(folder) as opened:
        given, told = _with_replay(given, method, structures)
        chosen = method_of(method, given, opened)
        potential = load_model(model)
        if given.profile is not None:
            _require_its_profile(given.profile, potential, graphs_alone=method == "radius")
        refined = chosen.refine(potential, structures)
        if refined.record.settings.get("chosen", method) in REPLAYING:
            reasons = [*refined.record.reasons, told]
            refined = replace(refined, record=replace(refined.record, reasons=reasons))
        if output is not None:
            named = {"model": model, "method": method, "profile": profile, "prior": prior}
            known = {"replay": replay, "like-training": like_training, "delta": delta}
            known["output"] = output
            command = command_line("refine", test, {**named, **known})
            write_refinement(refined, structures, Path(output), [command] if command else [])
    return refined


def _delta(spec: Potential | str) -> Delta:
    found = load_model(spec)
    if not isinstance(found, Delta):
        raise ConfigError(
            f"--delta {spec if isinstance(spec, str) else found.name} is no Δ-model: train one "
            "with  farfield train --strategy delta --prior ..."
        )
    return found


def _with_replay(given: Given, method: str, structures: list[Atoms]) -> tuple[Given, str]:
    """What was given, with the profile's coreset where there is no ``replay``; and a note."""
    if "replay" not in TAKEN.get(method, ()) or given.like_training is not None:
        return given, "on the structures of --like-training the model is held to what it predicts"
    found, told = replayed(given.replay, given.profile, structures)
    return replace(given, replay=found), told


def _require_its_profile(profile: Profile, potential: Potential, *, graphs_alone: bool) -> None:
    """Raise unless the profile is this model's, or of graphs like this model's alone."""
    if graphs_alone and RADIUS_EVIDENCE not in profile.header:
        return  # the graphs are compared where they are used
    made_with = (profile.header["model"], profile.header["prior"])
    if made_with != (None, None) or profile.cutoff != potential.cutoff:
        require_same_model(profile, potential)
