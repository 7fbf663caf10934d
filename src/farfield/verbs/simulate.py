"""Molecular dynamics with checks, refined first if wanted: the verb ``simulate``."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from ase import Atoms

from farfield.errors import CapabilityError, ConfigError, did_you_mean
from farfield.files import write_json
from farfield.potentials import Potential, fingerprint
from farfield.priors import Prior, load_prior
from farfield.refinement import Corrected, RadiusRefined, load_model
from farfield.reports import write_report
from farfield.shifts import Profile
from farfield.shifts.profile_files import load as load_profile
from farfield.simulation import (
    Job,
    Outcome,
    SimulationSettings,
    groups_of,
    record_of,
    run_all,
    steps_done,
)
from farfield.simulation.settings import load_settings
from farfield.structures import describe, without_labels
from farfield.verbs.inputs import Structures, command_line, require_same_model, structures_of
from farfield.verbs.methods import METHODS, TAKEN
from farfield.verbs.refine import refine as refine_model
from farfield.verbs.simulation_report import simulation_report

REFINEMENT = "refinement"  # its folder, below the output


@dataclass(frozen=True)
class Simulated:
    """What a run of :func:`simulate` did.

    Attributes
    ----------
    outcomes
        How each simulation went.
    record
        The content of ``record.json``.
    folder
        Where the files are.
    """

    outcomes: list[Outcome]
    record: dict[str, Any]
    folder: Path


def simulate(
    start: Structures,
    *,
    model: Potential | str,
    output: Path | str,
    head: str | None = None,
    refine: str | None = None,
    refine_on: Structures | None = None,
    prior: Prior | str | None = None,
    profile: Profile | Path | str | None = None,
    replay: Structures | None = None,
    like_training: Structures | None = None,
    refine_options: Mapping[str, Any] | None = None,
    workers: int = 1,
    cache: Path | str | None = None,
    progress: bool | None = None,
    config: Path | None = None,
    **settings: Any,
) -> Simulated:
    """Simulate from each structure in ``start``; a run that was stopped goes on where it was.

    Parameters
    ----------
    start
        Structures or files; they are stripped to geometry, charge and spin. Velocities are
        drawn.
    model, head
        Any model, and its output head; None takes the main head.
    output
        The folder to write: for each simulation ``simulation_NNNN/trajectory.extxyz``,
        ``thermodynamics.csv``, and ``failure.extxyz`` if it failed; ``record.json`` and
        ``report.html`` of all.
    refine
        A method of :func:`farfield.refine` to adapt the model with before the run.
    refine_on
        Unlabelled structures to adapt to; None takes ``start``.
    prior
        The prior of the refinement; the running structures are compared with it too.
    profile
        Profile of the training set, for the refinement; the running structures are scored
        against it too.
    replay, like_training, refine_options
        See :func:`farfield.refine`.
    workers, cache
        Processes of one thread each, among which the simulations are divided; folder of the
        label cache.
    progress
        Whether to draw a progress bar on standard error; None: if that is a terminal.
    config
        YAML file of settings; what is given in ``settings`` wins.
    **settings
        Fields of :class:`farfield.simulation.SimulationSettings`: ``ensemble``,
        ``temperature`` (K), ``timestep`` (fs), ``duration`` (ps), ``replicas``, ``seed``, ...

    Raises
    ------
    ConfigError
        An unknown setting, or the folder holds another run.
    ModelError
        The model cannot compute a starting structure.
    """
    chosen = load_settings(config, **settings)
    starts = without_labels(structures_of(start))
    if not starts:
        raise ConfigError("there is no structure to start from")
    _require_possible(starts, chosen, workers)
    given = {
        "refine_on": refine_on,
        "replay": replay,
        "like_training": like_training,
        "refine_options": refine_options,
    }
    _require_method(refine, given)
    folder = Path(output)
    watch = None if prior is None else load_prior(prior)
    for atoms in starts if watch is not None else []:
        assert watch is not None
        refusal = watch.refusal(atoms)
        if refusal:
            raise CapabilityError(f"{describe(atoms)}: {refusal}: choose another prior")
    opened = load_profile(Path(profile)) if isinstance(profile, (str, Path)) else profile
    potential = load_model(model)
    job = Job(
        potential=potential,
        head=head,
        starts=starts,
        settings=chosen,
        folder=folder,
        run="",
        prior=watch,
        profile=opened,
        profiled=None if opened is None else _profiled(opened, potential),
    )
    groups = groups_of(job.count, chosen.batch, workers)
    refining = {"method": refine, **{key: _named(value) for key, value in given.items()}}
    job = _with(job, run=_hash(job, groups, refining))
    done = steps_done(job, groups)
    if done is not None and done > chosen.steps:
        raise ConfigError(
            f"{folder}: these simulations have gone {done} steps already, more than the "
            f"{chosen.steps} that are asked for: choose another output folder, or a longer duration"
        )
    name = model if isinstance(model, str) else None
    refinement = None
    if refine is not None:
        target = folder / REFINEMENT
        if done is None:
            refined = refine_model(
                starts if refine_on is None else refine_on,
                model=potential,
                method=refine,
                profile=opened,
                prior=prior if "prior" in TAKEN[refine] else None,
                replay=replay,
                like_training=like_training,
                seed=chosen.seed,
                workers=workers,
                cache=cache,
                output=target,
                **(refine_options or {}),
            )
            refinement = refined.record.to_json()
        else:
            refinement = json.loads((target / "record.json").read_text(encoding="utf-8"))
        name = str(target / "model")
        job = _with(job, potential=load_model(name))
    results = run_all(job, workers, model=name, progress=progress)
    record = record_of(job, results, refinement)
    write_json(folder / "record.json", record)
    outcomes = [each for result in results for each in result.outcomes]
    options: dict[str, Any] = {
        "model": model,
        "head": head,
        "refine": refine,
        "refine-on": refine_on,
    }
    options |= {"prior": prior, "profile": profile, "replay": replay}
    options |= {"like-training": like_training, "config": config, "output": output}
    options |= {key: _typed(value) for key, value in settings.items()}
    command = "" if refine_options else command_line("simulate", start, options)
    report = simulation_report(outcomes, record, [command] if command else [])
    write_report(report, folder / "report.html")
    return Simulated(outcomes, record, folder)


def _require_possible(starts: list[Atoms], settings: SimulationSettings, workers: int) -> None:
    if workers < 1:
        raise ConfigError(f"workers={workers}: at least 1 process is needed")
    for atoms in starts if settings.ensemble == "npt" else []:
        if not atoms.pbc.all():
            raise ConfigError(
                f"{describe(atoms)} is not periodic in all directions, which npt needs: use nvt"
            )


def _require_method(refine: str | None, given: Mapping[str, Any]) -> None:
    if refine is not None and refine not in METHODS:
        raise ConfigError(f"unknown method {refine!r}{did_you_mean(refine, METHODS)}")
    for key, value in given.items():
        if refine is None and value:
            raise ConfigError(
                f"--{key.replace('_', '-')} is for a refinement: give --refine METHOD"
            )


def _profiled(profile: Profile, potential: Potential) -> Potential | None:
    """The model that the profile was made with; None if that was made without one."""
    if profile.header["model"] is None:
        return None
    base = potential.base if isinstance(potential, (Corrected, RadiusRefined)) else potential
    require_same_model(profile, base)
    return base


def _typed(value: Any) -> Any:
    """A setting as it is typed in a shell; others than plain ones stay, and cannot be."""
    return str(value) if isinstance(value, (str, int, float)) else value


def _with(job: Job, **changes: Any) -> Job:
    return Job(**{**vars(job), **changes})


def _named(value: Any) -> Any:
    """What was given in a form that can be hashed."""
    if isinstance(value, Atoms):
        return _geometry(value)
    if isinstance(value, (list, tuple)):
        return [_named(item) for item in value]
    if isinstance(value, Mapping):
        return {str(key): _named(item) for key, item in value.items()}
    return None if value is None else str(value)


def _hash(job: Job, groups: list[list[int]], refining: Mapping[str, Any]) -> str:
    """Hash all that decides the trajectories, but for their length."""
    content = {
        "model": [fingerprint(job.potential), job.head],
        "starts": [_geometry(atoms) for atoms in job.starts],
        "settings": {k: v for k, v in job.settings.model_dump().items() if k != "duration"},
        "groups": groups,
        "refining": refining,
        "prior": None if job.prior is None else job.prior.level_of_theory,
        "profile": None if job.profile is None else job.profile.header,
    }
    text = json.dumps(content, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _geometry(atoms: Atoms) -> str:
    digest = hashlib.sha256()
    for array in (atoms.numbers, atoms.positions, np.asarray(atoms.cell), atoms.pbc):
        digest.update(np.ascontiguousarray(array).tobytes())
    digest.update(repr([atoms.info.get("charge"), atoms.info.get("spin")]).encode())
    return digest.hexdigest()[:16]
