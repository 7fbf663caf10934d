"""Structures to refine for: frames of the prior's own dynamics, from the same starts.

Far from its training data a plain model often breaks a molecule before it has shown what a
simulation visits. The prior does not, and needs no label. It is slow, so it runs for a short time.
"""

from __future__ import annotations

from dataclasses import replace

from ase import Atoms

from farfield.potentials.blackbox import BlackBoxPotential
from farfield.priors import Prior
from farfield.simulation import Job, run_all
from farfield.simulation.trajectory import NAMES, last_frames
from farfield.structures import without_labels

FOLDER = "sample"
REPLICAS = 2  # of each start
INTERVAL = 25.0  # fs between frames
HOTTER = 2.0  # than the simulation: what is to hold must have been seen beyond where it will be


def sample(
    job: Job,
    prior: Prior,
    duration: float,
    temperature: float | None,
    progress: bool | None,
) -> list[Atoms]:
    """Run ``prior`` for ``duration`` (ps) from each start of ``job``; return its frames.

    The ``temperature`` (K) is twice that of ``job`` where none is given; time step, thermostat
    and checks are those of ``job``; velocities are drawn with another seed. Files are in
    ``sample`` below its folder; a run that was stopped goes on. A simulation that fails gives
    the frames before.
    """
    given = job.settings
    settings = given.model_copy(
        update={
            "ensemble": "nvt",
            "temperature": temperature or HOTTER * given.temperature,
            "duration": duration,
            "replicas": REPLICAS,
            "seed": given.seed + 1,
            "stride": max(1, round(INTERVAL / given.timestep)),
            "refine_every": None,
        }
    )
    potential = BlackBoxPotential(prior.calculator())
    driven = replace(job, potential=potential, head=None, settings=settings, prior=None)
    driven = replace(driven, profile=None, profiled=None, folder=job.folder / FOLDER)
    outcomes = [each for group in run_all(driven, progress=progress) for each in group.outcomes]
    name, most = NAMES[settings.trajectory_format], 1 + settings.steps // settings.stride
    found = [
        frame
        for outcome in outcomes
        for frame in last_frames(driven.folder / outcome.folder / name, most)
    ]
    return without_labels(found)
