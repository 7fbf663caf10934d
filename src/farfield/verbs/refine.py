"""Refine a model for unlabelled test structures: the verb ``refine``."""

from __future__ import annotations

from pathlib import Path

from farfield.errors import ConfigError, did_you_mean
from farfield.potentials import Potential
from farfield.priors import LabelCache, Prior, default_cache_dir, load_prior
from farfield.refinement import (
    RadiusRefinement,
    Refined,
    TestTimeSettings,
    TestTimeTraining,
    load_model,
)
from farfield.shifts import Profile
from farfield.shifts.profile import load as load_profile
from farfield.structures import without_labels
from farfield.verbs.inputs import Structures, command_line, require_same_model, structures_of
from farfield.verbs.refinement_files import write_refinement

METHODS = ("radius", "ttt")


def refine(
    test: Structures,
    *,
    model: Potential | str,
    method: str,
    profile: Profile | Path | str | None = None,
    prior: Prior | str | None = None,
    replay: Structures | None = None,
    settings: TestTimeSettings | None = None,
    workers: int = 1,
    cache: Path | str | None = None,
    output: Path | str | None = None,
) -> Refined:
    """Refine ``model`` for the structures in ``test``, whose labels are never read.

    Parameters
    ----------
    test
        Structures or files; they are stripped to geometry, charge and spin.
    model
        The model; it is not changed.
    method
        ``"radius"`` (needs ``profile``) or ``"ttt"`` (needs ``prior``).
    profile
        Profile of the training set, or its file.
    prior
        The prior whose head the model has.
    replay
        Labelled *training* structures, so that test-time training does not forget them.
    settings
        Of test-time training; the seed is among them.
    workers, cache
        For labelling with the prior.
    output
        Folder for ``model``, ``record.json``, ``predictions.extxyz`` and ``report.html``; None
        writes nothing.

    Raises
    ------
    ConfigError
        An unknown method, or one that lacks what it needs.
    CapabilityError
        The model cannot be refined in this way.
    """
    if method not in METHODS:
        raise ConfigError(f"unknown method {method!r}{did_you_mean(method, METHODS)}")
    structures = without_labels(structures_of(test))
    if not structures:
        raise ConfigError("there is no structure to refine the model for")
    fitted = load_profile(Path(profile)) if isinstance(profile, (str, Path)) else profile
    if method == "radius":
        if fitted is None:
            raise ConfigError("radius refinement needs --profile: make one with  farfield profile")
        refined = RadiusRefinement(fitted).refine(load_model(model), structures)
    else:
        if prior is None:
            raise ConfigError("test-time training needs --prior, such as gfn2")
        chosen = load_prior(prior)
        rehearsed = [] if replay is None else structures_of(replay)
        potential = load_model(model)
        if fitted is not None and not _graphs_alone(fitted, potential):
            require_same_model(fitted, potential)
        with LabelCache(default_cache_dir() if cache is None else cache) as opened:
            training = TestTimeTraining(
                chosen,
                replay=rehearsed,
                profile=fitted,
                settings=settings,
                workers=workers,
                cache=opened,
            )
            refined = training.refine(potential, structures)
    if output is not None:
        given = {"model": model, "method": method, "profile": profile, "prior": prior}
        command = command_line("refine", test, {**given, "replay": replay, "output": output})
        write_refinement(refined, structures, Path(output), [command] if command else [])
    return refined


def _graphs_alone(profile: Profile, potential: Potential) -> bool:
    """Whether a profile was made without a model or prior, of graphs like this model's."""
    made_with = (profile.header["model"], profile.header["prior"])
    return made_with == (None, None) and profile.cutoff == potential.cutoff
