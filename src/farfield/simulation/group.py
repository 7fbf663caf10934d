"""Run a group of simulations in lock step, from the start or from its checkpoint."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from ase import Atoms

from farfield.potentials import Potential
from farfield.priors import Prior
from farfield.shifts import Profile
from farfield.simulation.checkpoint import Checkpoint, load, save
from farfield.simulation.checks import checks_of
from farfield.simulation.lock_step import LockStep
from farfield.simulation.model_calls import ModelCalls
from farfield.simulation.outcome import Outcome
from farfield.simulation.settings import SimulationSettings
from farfield.simulation.simulation import Simulation

REPORTED = 10  # steps between reports of progress
Report = Callable[[int, int], None]  # steps done, simulations that still run


@dataclass(frozen=True)
class Job:
    """What all groups of a run share.

    Attributes
    ----------
    potential, head
        The model; None takes its main head.
    starts
        Starting structures, without labels.
    settings
        How they are run.
    folder
        Where everything is written.
    run
        Hash of all that decides the trajectories, but for their length.
    prior, profile, profiled
        What the model is watched with, and the model that the profile was made with; or None.
    segment
        How often the model was refined anew.
    until
        The step to go to; None takes the last.
    """

    potential: Potential
    head: str | None
    starts: list[Atoms]
    settings: SimulationSettings
    folder: Path
    run: str
    prior: Prior | None = None
    profile: Profile | None = None
    profiled: Potential | None = None
    segment: int = 0
    until: int | None = None

    @property
    def end(self) -> int:
        """The step at which its simulations rest."""
        return self.settings.steps if self.until is None else self.until

    @property
    def count(self) -> int:
        """Number of simulations."""
        return len(self.starts) * self.settings.replicas

    def member(self, index: int) -> tuple[int, int]:
        """Starting structure and copy of simulation ``index``."""
        return divmod(index, self.settings.replicas)


@dataclass(frozen=True)
class GroupResult:
    """How the simulations of a group went, and what it took.

    Attributes
    ----------
    outcomes
        One for each simulation.
    seconds
        Wall time of all its runs, s.
    """

    outcomes: list[Outcome]
    seconds: float


def run_group(job: Job, indices: Sequence[int], report: Report) -> GroupResult:
    """Run simulations ``indices`` of ``job`` to their end, or to their failure.

    Raises
    ------
    ModelError
        The model cannot compute a starting structure.
    ConfigError
        The checkpoint cannot be used.
    """
    settings = job.settings
    members = [job.member(index) for index in indices]
    model = ModelCalls(
        job.potential,
        job.head,
        job.starts,
        [start for start, _ in members],
        stress=settings.ensemble == "npt",
    )
    together = LockStep(model, len(members))
    path = checkpoint_of(job.folder, indices)
    simulations = [
        Simulation(
            place,
            job.starts[start],
            (settings.seed, start, copy),
            settings,
            checks_of(settings, job.prior, job.profile, job.profiled),
            together.ask,
            job.folder / folder_of(indices[place]),
            job.potential.name,
            job.segment,
        )
        for place, (start, copy) in enumerate(members)
    ]
    try:
        step, earlier = _stand(simulations, model, load(path, job.run), job.segment)
        seconds = _run(job, simulations, together, (step, earlier), path, report)
    finally:
        together.close()
        for simulation in simulations:
            simulation.close()
    outcomes = [
        _outcome(job, index, each) for index, each in zip(indices, simulations, strict=True)
    ]
    return GroupResult(outcomes, seconds)


def checkpoint_of(folder: Path, indices: Sequence[int]) -> Path:
    """The checkpoint of a group."""
    return folder / f"checkpoint_{indices[0]:04d}.npz"


def folder_of(index: int) -> str:
    """Name of the folder of one simulation."""
    return f"simulation_{index:04d}"


def _stand(
    simulations: Sequence[Simulation],
    model: ModelCalls,
    checkpoint: Checkpoint | None,
    segment: int,
) -> tuple[int, float]:
    """Bring the simulations to where they go on; return the step and the seconds so far."""
    if checkpoint is None:
        places = range(len(simulations))
        first = model.strict(places, [simulation.atoms for simulation in simulations])
        for simulation, prediction in zip(simulations, first, strict=True):
            simulation.begin(prediction)
        return 0, 0.0
    kept = zip(simulations, checkpoint.plain, checkpoint.arrays, strict=True)
    for simulation, plain, arrays in kept:
        simulation.resume(plain, arrays)
    if checkpoint.segment < segment:
        going = [place for place, each in enumerate(simulations) if each.failure is None]
        answers = model(going, [simulations[place].atoms for place in going])
        for place, answer in zip(going, answers, strict=True):
            simulations[place].refined(answer)
    return checkpoint.step, checkpoint.seconds


def _run(
    job: Job,
    simulations: Sequence[Simulation],
    together: LockStep,
    done: tuple[int, float],
    path: Path,
    report: Report,
) -> float:
    settings = job.settings
    step, earlier = done
    begin = time.perf_counter()
    while True:
        going = [place for place, each in enumerate(simulations) if each.failure is None]
        over = step >= job.end or not going
        if over or step % REPORTED == 0:
            report(step, len(going))
        if over or step % settings.checkpoint_stride == 0:
            seconds = earlier + time.perf_counter() - begin
            states = [simulation.state() for simulation in simulations]
            plain, arrays = [state[0] for state in states], [state[1] for state in states]
            save(path, Checkpoint(job.run, job.segment, step, seconds, plain, arrays))
        if over:
            return seconds
        errors = together.advance({place: simulations[place].move for place in going})
        step += 1
        for place in going:
            simulations[place].judge(step, errors.get(place))


def _outcome(job: Job, index: int, simulation: Simulation) -> Outcome:
    start, copy = job.member(index)
    atoms = job.starts[start]
    return Outcome(
        index=index,
        start=start,
        copy=copy,
        file=str(atoms.info.get("farfield_file", "")),
        file_index=int(atoms.info.get("farfield_index", start)),
        formula=atoms.get_chemical_formula(),
        n_atoms=len(atoms),
        folder=folder_of(index),
        completed=simulation.failure is None,
        steps=simulation.step,
        time_ps=1e-3 * simulation.step * job.settings.timestep,
        failure=simulation.failure,
        alarms=simulation.alarms,
        figures=simulation.figures,
    )
