"""Molecular dynamics with checks, refined first if wanted: the verb ``simulate``."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from farfield.errors import ConfigError
from farfield.files import write_json
from farfield.potentials import Potential
from farfield.priors import Prior, load_prior
from farfield.refinement import Corrected, Record
from farfield.refinement.radius.at_radii import AtRadii
from farfield.reports import write_report
from farfield.shifts import Profile
from farfield.shifts.profile_files import load as load_profile
from farfield.simulation import (
    Job,
    Outcome,
    groups_of,
    record_of,
    steps_done,
)
from farfield.simulation.consistency import consistency_warnings
from farfield.simulation.settings import load_settings
from farfield.structures import without_labels
from farfield.verbs.inputs import Structures, command_line, require_same_model, structures_of
from farfield.verbs.methods import TAKEN
from farfield.verbs.placing import DTYPES, placed, require_place
from farfield.verbs.refine import refine as refine_model
from farfield.verbs.simulation.identity import identity, named
from farfield.verbs.simulation.report import simulation_report
from farfield.verbs.simulation.requirements import (
    require_alarms,
    require_method,
    require_possible,
    require_prior,
    require_sample,
)
from farfield.verbs.simulation.sample import sample as draw
from farfield.verbs.simulation.segments import DECISIONS, REFINEMENT, run_segments


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
    sample: float | None = None,
    sample_temperature: float | None = None,
    prior: Prior | str | None = None,
    profile: Profile | Path | str | None = None,
    replay: Structures | None = None,
    like_training: Structures | None = None,
    refine_options: Mapping[str, Any] | None = None,
    device: str = "cpu",
    dtype: str | None = None,
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
        The folder to write: for each simulation ``simulation_NNNN/trajectory.extxyz`` (or
        ``.h5``), ``thermodynamics.csv``, and ``failure.extxyz`` if it failed; ``record.json`` and
        ``report.html`` of all.
    refine
        A method of :func:`farfield.refine` to adapt the model with before the run.
    refine_on
        Unlabelled structures to adapt to; None takes ``start``.
    sample
        Adapt to frames of the prior's own dynamics instead, of so many ps from each start.
    sample_temperature
        Of those dynamics, K; None takes twice that of the simulation, so that they see more
        than the simulation will.
    prior
        The prior of the refinement; the running structures are compared with it too.
    profile
        Profile of the training set, for the refinement; the running structures are scored
        against it too.
    replay, like_training, refine_options
        See :func:`farfield.refine`.
    device, dtype
        Where the model runs, ``"cpu"`` or ``"cuda"``, and in which floating-point type,
        ``"float32"`` or ``"float64"``; None keeps its own, in which it is refined too.
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
        With ``refine_every`` (ps) the original model is refined anew at each such time, for
        the last frames, if the shift or the disagreement with the prior has raised an alarm.

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
    require_possible(starts, chosen, workers)
    given = {
        "refine_on": refine_on,
        "sample": None if sample is None else [sample, sample_temperature],
        "replay": replay,
        "like_training": like_training,
        "refine_options": refine_options,
    }
    require_method(refine, given)
    require_place(device, dtype)
    folder = Path(output)
    watch = None if prior is None else load_prior(prior)
    require_sample(sample, sample_temperature, watch, refine_on)
    require_prior(starts, watch)
    opened = load_profile(Path(profile)) if isinstance(profile, (str, Path)) else profile
    require_alarms(chosen, refine, refine_options, watched=not (watch is None and opened is None))
    potential = placed(model, device, None if refine else dtype)
    own = potential if opened is None or dtype is None or refine else placed(model, device, None)
    job = Job(
        potential=potential,
        head=head,
        starts=starts,
        settings=chosen,
        folder=folder,
        run="",
        prior=watch,
        profile=opened,
        profiled=None if opened is None else _profiled(opened, own),
    )
    groups = groups_of(job.count, chosen.batch, workers)
    refining = {"method": refine, **{key: named(value) for key, value in given.items()}}
    job = replace(job, run=identity(job, groups, refining, {"device": device, "dtype": dtype}))
    done = steps_done(job, groups)
    if done is not None and done > chosen.steps:
        raise ConfigError(
            f"{folder}: these simulations have gone {done} steps already, more than the "
            f"{chosen.steps} that are asked for: choose another output folder, or a longer duration"
        )
    if done is None:
        (folder / DECISIONS).unlink(missing_ok=True)
    name = model if isinstance(model, str) else None

    def refined_for(structures: Structures, target: Path) -> Record:
        assert refine is not None
        return refine_model(
            structures,
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
        ).record

    def from_file(path: Path) -> Potential:
        return placed(str(path), device, dtype)

    first = None
    if refine is not None:
        target = folder / REFINEMENT
        if done is None:
            chosen_for = starts if refine_on is None else refine_on
            if sample is not None and watch is not None:
                chosen_for = draw(job, watch, sample, sample_temperature, progress)
            first = refined_for(chosen_for, target).to_json()
        else:
            first = json.loads((target / "record.json").read_text(encoding="utf-8"))
        name = str(target / "model")
        job = replace(job, potential=from_file(target / "model"))
    warnings = consistency_warnings(job.potential, starts[0], head)
    run = run_segments(
        job,
        None if refine is None else refined_for,
        from_file,
        first=first,
        model=name,
        workers=workers,
        loading={"device": device, "dtype": None if dtype is None else DTYPES[dtype]},
        progress=progress,
    )
    results = run.results
    record = {**record_of(job, results, first), **run.plain, "warnings": warnings}
    write_json(folder / "record.json", record)
    outcomes = [each for result in results for each in result.outcomes]
    options: dict[str, Any] = {
        "model": model,
        "head": head,
        "refine": refine,
        "refine-on": refine_on,
        "sample": sample,
        "sample-temperature": sample_temperature,
    }
    options |= {"prior": prior, "profile": profile, "replay": replay}
    options |= {"like-training": like_training, "config": config, "output": output}
    options |= {"device": None if device == "cpu" else device, "dtype": dtype}
    options |= {key.replace("_", "-"): _typed(value) for key, value in settings.items()}
    command = "" if refine_options else command_line("simulate", start, options)
    report = simulation_report(outcomes, record, [command] if command else [])
    write_report(report, folder / "report.html")
    return Simulated(outcomes, record, folder)


def _profiled(profile: Profile, potential: Potential) -> Potential | None:
    """The model that the profile was made with; None if that was made without one."""
    if profile.header["model"] is None:
        return None
    base = potential.base if isinstance(potential, (Corrected, AtRadii)) else potential
    require_same_model(profile, base)
    return base


def _typed(value: Any) -> Any:
    """A setting as it is typed in a shell; others than plain ones stay, and cannot be."""
    return str(value) if isinstance(value, (str, int, float)) else value
