"""How far test structures lie from training, along which axis: the verb ``diagnose``."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ase import Atoms

from farfield.errors import ConfigError, ProfileError
from farfield.potentials import Potential
from farfield.priors import Prior, load_prior
from farfield.refinement import load_model
from farfield.shifts import Diagnosis, Profile, chosen_axes
from farfield.shifts import diagnose as diagnose_observed
from farfield.shifts.profile_files import load as load_profile
from farfield.verbs.diagnosis_files import write_diagnosis
from farfield.verbs.inputs import (
    Structures,
    command_line,
    members_of,
    require_same_committee,
    require_same_model,
    structures_of,
)
from farfield.verbs.judging import judge as judge_scores
from farfield.verbs.observations import observed

COMMITTEE = "committee"
BY_PRIOR = ("prior_residual", "prior_force_norm")  # axes that ask a prior beside a model


def diagnose(
    test: Structures,
    *,
    profile: Profile | Path | str,
    model: Potential | str | None = None,
    prior: Prior | str | None = None,
    committee: Sequence[Potential | str] = (),
    control: Path | str | None = None,
    axes: Sequence[str] | str | None = None,
    judge: bool = False,
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
    committee
        Further models like ``model`` with which the profile was made: their axis is scored,
        and does not enter the combined quantile.
    control
        The one of the files that is like the training set: the report and the JSON then say
        how well each axis tells the other files from it (AUROC with a bootstrap interval).
    axes
        None for the default axes; ``"all"`` for the further ones beside them, which then do
        not enter the combined quantile; or names of axes, of which it is then made.
    judge
        Compare the scores, once made, with the force errors that reference labels in the files
        tell: how well each axis ranks them. Nothing of the diagnosis changes. Needs ``output``.
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
    potential = None if model is None else load_model(model, cutoff=fitted.cutoff)
    if judge and (potential is None or output is None):
        raise ConfigError("--judge needs --model, whose errors are judged, and --output")
    found = diagnose_structures(
        structures,
        fitted,
        model=potential,
        prior=prior,
        committee=committee,
        axes=axes,
        workers=workers,
        cache=cache,
    )
    if output is not None:
        named = None if control is None else Path(control).name
        options: dict[str, object] = {
            "profile": profile,
            "model": model,
            "prior": prior,
            "committee": committee or None,
            "control": control,
            "axes": axes if axes is None or isinstance(axes, str) else ",".join(axes),
            "judge": judge or None,
            "output": output,
        }
        command = command_line("diagnose", test, options)
        write_diagnosis(
            found,
            structures,
            fitted,
            Path(output),
            control=named,
            commands=[command] if command else [],
            judgement=judge_scores(found, structures, potential, named)
            if judge and potential is not None
            else None,
        )
    return found


def diagnose_structures(
    structures: list[Atoms],
    profile: Profile,
    *,
    model: Potential | str | None = None,
    prior: Prior | str | None = None,
    committee: Sequence[Potential | str] = (),
    axes: Sequence[str] | str | None = None,
    workers: int = 1,
    cache: Path | str | None = None,
) -> Diagnosis:
    """Diagnose structures in memory; see :func:`diagnose`."""
    potential = None if model is None else load_model(model, cutoff=profile.cutoff)
    if potential is not None:
        require_same_model(profile, potential)
    members = members_of(potential, committee)
    require_same_committee(profile, members)
    chosen = None if prior is None else load_prior(prior)
    if chosen is not None and not _asks_for(profile, chosen, potential, chosen_axes(axes)):
        chosen = None
    observations = observed(
        structures,
        potential=potential,
        prior=chosen,
        cutoff=profile.cutoff,
        committee=members,
        workers=workers,
        cache=cache,
    )
    beside = (COMMITTEE,) if members else ()
    return diagnose_observed(structures, observations, profile, axes, beside)


def _asks_for(
    profile: Profile, prior: Prior, potential: Potential | None, axes: Sequence[str]
) -> bool:
    """Whether the profile has an axis for what the prior says; another prior is an error."""
    needing = [axis for axis in BY_PRIOR if axis in axes and axis in profile.axes]
    if profile.header["model"] is not None and (potential is None or not needing):
        return False
    if profile.header["prior"] != prior.name:
        raise ProfileError(
            f"the profile was made with the prior {profile.header['prior']!r}, not "
            f"{prior.name!r}: make one with  farfield profile --prior {prior.name}"
        )
    return True
