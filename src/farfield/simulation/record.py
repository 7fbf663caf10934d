"""The record of a run: every simulation's outcome, the share alive, settings and speed."""

from __future__ import annotations

import platform
from collections import Counter
from collections.abc import Sequence
from importlib.metadata import version
from typing import Any

import torch

from farfield.potentials import fingerprint
from farfield.simulation.group import GroupResult, Job
from farfield.simulation.outcome import Outcome
from farfield.simulation.progress import speed


def record_of(
    job: Job, results: Sequence[GroupResult], refinement: dict[str, Any] | None
) -> dict[str, Any]:
    """Plain values for ``record.json``; units are in the keys."""
    outcomes = [outcome for result in results for outcome in result.outcomes]
    seconds = sum(result.seconds for result in results)
    failures = [outcome.failure.check for outcome in outcomes if outcome.failure is not None]
    alarms = {alarm.check for outcome in outcomes for alarm in outcome.alarms}
    total = sum(outcome.steps for outcome in outcomes)
    return {
        "model": job.potential.name,
        "model_fingerprint": fingerprint(job.potential),
        "prior": None if job.prior is None else job.prior.name,
        "settings": job.settings.plain(),
        "refinement": refinement,
        "n_simulations": len(outcomes),
        "n_completed": len(outcomes) - len(failures),
        "share_alive": 1.0 - len(failures) / len(outcomes),
        "median_lifetime_ps": median_lifetime(outcomes),
        "failures": dict(Counter(failures).most_common()),
        "alarms": {
            name: sum(any(a.check == name for a in outcome.alarms) for outcome in outcomes)
            for name in sorted(alarms)
        },
        "simulations": [outcome.plain() for outcome in outcomes],
        "seconds": seconds,
        "speed_ns_per_day": speed(total, job.settings.timestep, seconds),
        "versions": {
            "farfield": version("farfield"),
            "ase": version("ase"),
            "torch": str(torch.__version__),
            "python": platform.python_version(),
        },
    }


def median_lifetime(outcomes: Sequence[Outcome]) -> float | None:
    """Time by which half of the simulations have failed, ps; None while more are alive."""
    failed = sorted(outcome.failure.time_fs for outcome in outcomes if outcome.failure is not None)
    half = -(-len(outcomes) // 2)
    return 1e-3 * failed[half - 1] if len(failed) >= half else None
