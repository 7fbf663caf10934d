"""How far test structures lie from training, along which axis: the verb ``diagnose``."""

from __future__ import annotations

from pathlib import Path

from ase import Atoms

from farfield.errors import ConfigError, ProfileError
from farfield.potentials import Potential
from farfield.priors import Prior, load_prior
from farfield.refinement import load_model
from farfield.shifts import Diagnosis, Profile, observe
from farfield.shifts import diagnose as diagnose_observed
from farfield.shifts.profile import load as load_profile
from farfield.structures import without_labels
from farfield.verbs.diagnosis_files import write_diagnosis
from farfield.verbs.inputs import (
    Structures,
    command_line,
    prior_labels,
    require_same_model,
    structures_of,
)


def diagnose(
    test: Structures,
    *,
    profile: Profile | Path | str,
    model: Potential | str | None = None,
    prior: Prior | str | None = None,
    control: Path | str | None = None,
    workers: int = 1,
    cache: Path | str | None = None,
    output: Path | str | None = None,
) -> Diagnosis:
    """Score every structure of ``test`` against the profile of the training set.

    Parameters
    ----------
    test
        Structures or files; reference labels in them are not looked at.
    profile
        A profile, or its file.
    model
        The model with which the profile was made; without it, the axes that need the
        model's forces or features are not scored.
    prior
        The prior with which the profile was made, when it was made without a model.
    control
        The one of the files that is like the training set: the report and the JSON then say
        how well each axis tells the other files from it (AUROC with a bootstrap interval).
    workers, cache
        For labelling with the prior.
    output
        Folder for ``report.html``, ``diagnosis.json``, ``structures.extxyz`` and
        ``scores.csv``; None writes nothing.

    Raises
    ------
    ProfileError
        The profile belongs to another model or prior.
    """
    fitted = load_profile(Path(profile)) if isinstance(profile, (str, Path)) else profile
    structures = structures_of(test)
    if not structures:
        raise ConfigError("there is no structure to diagnose")
    names = {str(atoms.info.get("farfield_file")) for atoms in structures}
    if control is not None and Path(control).name not in names:
        raise ConfigError(f"the control {control} is none of the files to diagnose: add it to them")
    found = diagnose_structures(
        structures, fitted, model=model, prior=prior, workers=workers, cache=cache
    )
    if output is not None:
        given = {"profile": profile, "model": model, "prior": prior, "control": control}
        command = command_line("diagnose", test, {**given, "output": output})
        write_diagnosis(
            found,
            structures,
            fitted,
            Path(output),
            control=None if control is None else Path(control).name,
            commands=[command] if command else [],
        )
    return found


def diagnose_structures(
    structures: list[Atoms],
    profile: Profile,
    *,
    model: Potential | str | None = None,
    prior: Prior | str | None = None,
    workers: int = 1,
    cache: Path | str | None = None,
) -> Diagnosis:
    """Diagnose structures in memory; see :func:`diagnose`."""
    bare = without_labels(structures)
    potential = None if model is None else load_model(model, cutoff=profile.cutoff)
    if potential is not None:
        require_same_model(profile, potential)
    proxy = None
    if potential is None and prior is not None:
        chosen = load_prior(prior)
        if profile.header["model"] is None:
            if profile.header["prior"] != chosen.name:
                raise ProfileError(
                    f"the profile was made with the prior {profile.header['prior']!r}, not "
                    f"{chosen.name!r}: make one with  farfield profile --prior {chosen.name}"
                )
            proxy = prior_labels(bare, chosen, workers=workers, cache=cache)
    observations = observe(bare, potential=potential, cutoff=profile.cutoff, prior_labels=proxy)
    return diagnose_observed(structures, observations, profile)
