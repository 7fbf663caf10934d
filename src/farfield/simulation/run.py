"""Run all simulations of a job: groups one after another here, or in processes of their own."""

from __future__ import annotations

import multiprocessing
import pickle
import signal
import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from multiprocessing.process import BaseProcess
from typing import Any

from farfield.errors import ConfigError, FarfieldError, ModelError
from farfield.potentials import Potential
from farfield.processes import end_with_parent, one_thread_each
from farfield.refinement import load_model
from farfield.simulation.checkpoint import load
from farfield.simulation.group import GroupResult, Job, checkpoint_of, run_group
from farfield.simulation.progress import Show, simulation_bar

POLL = 0.2  # s between looks at the processes


def groups_of(count: int, batch: int | None, workers: int) -> list[list[int]]:
    """Split simulations into groups that go in lock step, in order.

    ``batch`` is the size of a group; None divides them evenly among ``workers``.
    """
    size = batch or -(-count // workers)
    return [list(range(start, min(start + size, count))) for start in range(0, count, size)]


def run_all(
    job: Job,
    workers: int = 1,
    *,
    model: str | None = None,
    loading: Mapping[str, Any] | None = None,
    progress: bool | None = None,
) -> list[GroupResult]:
    """Run every group; a group that was stopped goes on from its checkpoint.

    Parameters
    ----------
    job
        What to run.
    workers
        Processes, of one thread each; 1 runs in this process.
    model
        The name or path of the model, for processes to load; None sends the object.
    loading
        How they load it: ``dtype`` and ``device`` of :func:`farfield.load_model`.
    progress
        Whether to draw a progress bar on standard error; None: if that is a terminal.

    Raises
    ------
    ConfigError
        The model cannot be sent to other processes.
    ModelError
        The model cannot compute a starting structure, or a process died.
    """
    groups = groups_of(job.count, job.settings.batch, workers)
    with simulation_bar(job.settings, groups, progress) as show:
        if min(workers, len(groups)) == 1:
            return [
                run_group(job, group, partial(show, number)) for number, group in enumerate(groups)
            ]
        _in_processes(_packed(job, model, dict(loading or {})), groups, workers, show)
    # every group is over, so this only reads what was kept
    return [run_group(job, group, lambda step, alive: None) for group in groups]


def steps_done(job: Job, groups: list[list[int]]) -> int | None:
    """Most steps that any group's checkpoint has done; None without one."""
    paths = [checkpoint_of(job.folder, group) for group in groups]
    found = [load(path, job.run) for path in paths]
    return max((checkpoint.step for checkpoint in found if checkpoint is not None), default=None)


@dataclass(frozen=True)
class _Shipped:
    """A job for another process: all of it but the model, and the model or its name."""

    fields: dict[str, Any]
    model: Potential | str
    loading: dict[str, Any]


def _packed(job: Job, model: str | None, loading: dict[str, Any]) -> bytes:
    fields = {key: value for key, value in vars(job).items() if key != "potential"}
    try:
        return pickle.dumps(_Shipped(fields, job.potential if model is None else model, loading))
    except Exception as error:
        raise ConfigError(
            f"the model, prior or profile cannot be sent to worker processes ({error}): give it by "
            "name or path, or use workers=1"
        ) from error


def _in_processes(packed: bytes, groups: list[list[int]], workers: int, show: Show) -> None:
    context = multiprocessing.get_context("spawn")
    places = context.Array("q", 2 * len(groups))
    errors = context.SimpleQueue()
    running: dict[int, BaseProcess] = {}
    queue = list(enumerate(groups))
    for number, group in queue:
        places[2 * number + 1] = len(group)
    try:
        while queue or running:
            while queue and len(running) < workers:
                number, group = queue.pop(0)
                process = context.Process(
                    target=_work, args=(packed, number, group, places, errors), daemon=True
                )
                with one_thread_each():
                    process.start()
                running[number] = process
            time.sleep(POLL)
            for number, started in list(running.items()):
                show(number, places[2 * number], places[2 * number + 1])
                if started.exitcode is not None:
                    del running[number]
                    _require_well(started.exitcode, errors, groups[number])
    finally:
        for left in running.values():
            left.terminate()


def _require_well(code: int, errors: Any, group: list[int]) -> None:
    if code == 0:
        return
    if not errors.empty():
        raise errors.get()
    raise ModelError(
        f"the process of simulations {group[0]} to {group[-1]} ended with code {code}: run again "
        'to go on (in a script, call farfield under  if __name__ == "__main__":)'
    )


# What follows runs in the worker processes.


def _work(packed: bytes, number: int, group: list[int], places: Any, errors: Any) -> None:
    from farfield.processes import set_up_process

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent to handle
    end_with_parent()
    set_up_process()

    def report(step: int, alive: int) -> None:
        places[2 * number] = step
        places[2 * number + 1] = alive

    try:
        shipped: _Shipped = pickle.loads(packed)
        job = Job(potential=load_model(shipped.model, **shipped.loading), **shipped.fields)
        run_group(job, group, report)
    except FarfieldError as error:
        errors.put(FarfieldError(str(error)))
        raise SystemExit(2) from error
