"""Refine a model for unlabelled test structures: the verb ``refine``."""

from __future__ import annotations

from pathlib import Path

from farfield.errors import CapabilityError, ConfigError, did_you_mean
from farfield.files import write_json
from farfield.potentials import Potential, TrainablePotential
from farfield.priors import LabelCache, Prior, default_cache_dir, load_prior
from farfield.refinement import (
    RadiusRefined,
    RadiusRefinement,
    Refined,
    TestTimeSettings,
    TestTimeTraining,
    load_model,
)
from farfield.shifts import Profile
from farfield.shifts.profile import load as load_profile
from farfield.structures import Labels, attach, without_labels, write
from farfield.verbs.inputs import Structures, require_same_model, structures_of

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
        Folder for ``model``, ``record.json`` and ``predictions.extxyz``; None writes nothing.

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
        predictions = refined.potential.predict(structures)
        for atoms, prediction in zip(structures, predictions, strict=True):
            found = Labels(prediction.energy, prediction.forces, None, refined.potential.name)
            attach(atoms, found, "farfield")
        folder = Path(output)
        save_model(refined.potential, folder / "model")
        write_json(folder / "record.json", refined.record.to_json())
        write(folder / "predictions.extxyz", structures)
    return refined


def _graphs_alone(profile: Profile, potential: Potential) -> bool:
    """Whether a profile was made without a model or prior, of graphs like this model's."""
    made_with = (profile.header["model"], profile.header["prior"])
    return made_with == (None, None) and profile.cutoff == potential.cutoff


def save_model(potential: Potential, path: Path) -> None:
    """Write a model, with its refinement rule if it has one, in farfield's format."""
    if not isinstance(potential, (TrainablePotential, RadiusRefined)):
        raise CapabilityError(f"{potential.name} cannot be written to a file: keep your own")
    potential.save(path)
