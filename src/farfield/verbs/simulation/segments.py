"""Run simulations, and refine their model anew at declared times where an alarm has fired.

Each time the original model is refined, for the last frames of what still runs, in a folder
of its own; from there on the trajectories are another segment. What was decided is kept on
disk, so that a run that was stopped goes on in the segment where it was.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from ase import Atoms

from farfield.errors import FarfieldError
from farfield.files import write_json
from farfield.potentials import Potential
from farfield.refinement import Record
from farfield.simulation import GroupResult, Job, Outcome, run_all
from farfield.simulation.trajectory import NAMES, last_frames
from farfield.structures import without_labels

DECISIONS = "decisions.json"
REFINEMENT = "refinement"  # folder of the first, below the output

Refine = Callable[[Sequence[Atoms], Path], Record]
Load = Callable[[Path], Potential]


@dataclass(frozen=True)
class Decision:
    """What was done at a declared time at which an alarm had fired.

    Attributes
    ----------
    step, time_ps
        When.
    alarms
        Alarms since the declared time before, and in how many simulations that still run.
    n_frames
        Frames that the model was refined for.
    refinement
        Folder of that refinement, with its record.
    acted
        Whether the model was changed, so that a segment begins here.
    reasons
        Why, or why not.
    """

    step: int
    time_ps: float
    alarms: dict[str, int]
    n_frames: int
    refinement: str
    acted: bool
    reasons: list[str]


@dataclass(frozen=True)
class Segments:
    """A run with all its segments.

    Attributes
    ----------
    results
        How each group went.
    plain
        What the record says of them: ``segments`` and ``decisions``.
    """

    results: list[GroupResult]
    plain: dict[str, Any]


def run_segments(
    job: Job,
    refine: Refine | None,
    load: Load,
    *,
    first: Mapping[str, Any] | None,
    model: str | None,
    workers: int,
    loading: Mapping[str, Any],
    progress: bool | None,
) -> Segments:
    """Run ``job`` to its end.

    Parameters
    ----------
    job
        With the model of the first segment.
    refine, load
        Refines the original model for frames and writes it to a folder; loads it from there.
        ``refine`` is None where the model stays as it is.
    first
        The record of the first refinement; None without one.
    model, workers, loading, progress
        See :func:`farfield.simulation.run_all`.
    """
    stride = job.settings.refine_stride
    path = job.folder / DECISIONS
    done, decisions = _kept(path, job.run)
    part = job
    while True:
        acted = [decision for decision in decisions if decision.acted]
        if len(acted) > part.segment:
            refined = job.folder / acted[-1].refinement / "model"
            model = str(refined)
            part = replace(job, potential=load(refined), segment=len(acted))
        until = job.settings.steps if stride is None else min(done + stride, job.settings.steps)
        part = replace(part, until=until)
        results = run_all(part, workers, model=model, loading=loading, progress=progress)
        outcomes = [outcome for result in results for outcome in result.outcomes]
        going = [outcome for outcome in outcomes if outcome.completed]
        if until == job.settings.steps or not going or refine is None:
            return Segments(results, _plain(first, decisions, outcomes))
        alarms = _alarms(going, done)
        if alarms:
            name = f"{REFINEMENT}_{len(decisions) + 1:04d}"
            decisions = [*decisions, _decide(job, going, alarms, name, until, refine)]
        done = until
        content = {"run": job.run, "step": done, "decisions": [asdict(one) for one in decisions]}
        write_json(path, content)


def _alarms(going: Sequence[Outcome], since: int) -> dict[str, int]:
    """Alarms after the declared time ``since``, and in how many simulations."""
    fired = [
        {each.check for each in outcome.alarms if each.step > since or since == 0}
        for outcome in going
    ]
    return dict(Counter(name for names in fired for name in sorted(names)))


def last_window(job: Job, going: Sequence[Outcome]) -> list[Atoms]:
    """Frames of the last window of the simulations that run, evenly spaced; geometries alone."""
    settings = job.settings
    window = settings.checks.window * settings.checks.watch_stride
    count = max(1, window // settings.stride)
    name = NAMES[settings.trajectory_format]
    found = [
        frame
        for outcome in going
        for frame in last_frames(job.folder / outcome.folder / name, count)
    ]
    kept = min(len(found), settings.refine_frames)
    places = np.linspace(0, len(found) - 1, kept).round().astype(int)
    return without_labels([found[place] for place in places])


def _decide(
    job: Job,
    going: Sequence[Outcome],
    alarms: dict[str, int],
    name: str,
    step: int,
    refine: Refine,
) -> Decision:
    frames = last_window(job, going)
    try:
        record = refine(frames, job.folder / name)
        acted, reasons = record.acted, record.reasons
    except FarfieldError as error:  # the run goes on with the model that it has
        acted, reasons = False, [f"it failed: {error}"]
    time = 1e-3 * step * job.settings.timestep
    return Decision(step, time, alarms, len(frames), name, acted, reasons)


def _kept(path: Path, run: str) -> tuple[int, list[Decision]]:
    """The last declared time that was decided upon, and the decisions; of another run: none."""
    if not path.exists():
        return 0, []
    content = json.loads(path.read_text(encoding="utf-8"))
    if content["run"] != run:
        return 0, []
    return content["step"], [Decision(**decision) for decision in content["decisions"]]


def _plain(
    first: Mapping[str, Any] | None, decisions: Sequence[Decision], outcomes: Sequence[Outcome]
) -> dict[str, Any]:
    acted = [decision for decision in decisions if decision.acted]
    begins = [0, *(decision.step for decision in acted)]
    ends = [*begins[1:], max(_last_step(outcome) for outcome in outcomes)]
    folders = [None if first is None else REFINEMENT, *(each.refinement for each in acted)]
    whether = [first is not None and bool(first["acted"]), *(True for _ in acted)]
    segments = [
        {"segment": number, "from_step": begin, "to_step": end, "refinement": folder, "acted": did}
        for number, (begin, end, folder, did) in enumerate(
            zip(begins, ends, folders, whether, strict=True)
        )
    ]
    return {"segments": segments, "decisions": [asdict(decision) for decision in decisions]}


def _last_step(outcome: Outcome) -> int:
    return outcome.steps if outcome.failure is None else outcome.failure.step
