"""How far test structures lie from training, along which axis: the verb ``diagnose``."""

from __future__ import annotations

from pathlib import Path

from ase import Atoms

from farfield.errors import ConfigError, ProfileError
from farfield.potentials import Potential
from farfield.priors import Prior, load_prior
from farfield.refinement import load_model
from farfield.shifts import Diagnosis, Profile
from farfield.shifts import diagnose as diagnose_observed
from farfield.shifts.profile import load as load_profile
from farfield.verbs.diagnosis_files import write_diagnosis
from farfield.verbs.inputs import (
    Structures,
    command_line,
    require_same_model,
    structures_of,
)
from farfield.verbs.observations import observed


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
        The prior with which the profile was made: for the axis of the prior residual and the
        force error to expect, or, without a model, for the proxy forces.
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
    potential = None if model is None else load_model(model, cutoff=profile.cutoff)
    if potential is not None:
        require_same_model(profile, potential)
    chosen = None if prior is None else load_prior(prior)
    if chosen is not None and not _asks_for(profile, chosen, potential):
        chosen = None
    observations = observed(
        structures,
        potential=potential,
        prior=chosen,
        cutoff=profile.cutoff,
        workers=workers,
        cache=cache,
    )
    return diagnose_observed(structures, observations, profile)


def _asks_for(profile: Profile, prior: Prior, potential: Potential | None) -> bool:
    """Whether the profile has an axis for what the prior says; another prior is an error."""
    by_model = profile.header["model"] is not None
    if by_model and (potential is None or "prior_residual" not in profile.axes):
        return False
    if profile.header["prior"] != prior.name:
        raise ProfileError(
            f"the profile was made with the prior {profile.header['prior']!r}, not "
            f"{prior.name!r}: make one with  farfield profile --prior {prior.name}"
        )
    return True
