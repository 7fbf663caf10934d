"""Label in several processes; a process that dies costs one structure, not the run."""

from __future__ import annotations

import multiprocessing
import pickle
import signal
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from multiprocessing.synchronize import Event

from ase import Atoms
from threadpoolctl import threadpool_limits

from farfield.errors import LabelError
from farfield.priors.contract import Failure, Prior
from farfield.priors.evaluator import Evaluator
from farfield.processes import end_with_parent, one_thread_each
from farfield.structures import Labels

DIED = "the worker process died while it computed this structure (a crash in the prior's own code)"
_AHEAD = 2  # tasks handed out per worker: one runs, one waits, so that none is idle

Record = Callable[[int, Labels | Failure], None]


def label_in_processes(
    prior: Prior, structures: Sequence[Atoms], workers: int, record: Record
) -> None:
    """Call ``record(index, outcome)`` for every structure, as soon as each is done.

    Raises
    ------
    LabelError
        The prior cannot be sent to another process, or the processes cannot start.
    """
    try:
        packed = pickle.dumps(prior)
    except Exception as error:
        raise LabelError(
            f"the prior {prior.name!r} cannot be sent to worker processes ({error}): "
            "define it in a module or a file, or use workers=1"
        ) from error
    queue = deque(range(len(structures)))
    while queue:
        for suspect in _run(packed, structures, queue, workers, record):
            if _run(packed, structures, deque([suspect]), 1, record):
                record(suspect, Failure(DIED))


def _run(
    packed: bytes, structures: Sequence[Atoms], queue: deque[int], workers: int, record: Record
) -> list[int]:
    """Work through ``queue``; if a worker dies, stop and return what was in flight."""
    context = multiprocessing.get_context("spawn")
    started = context.Event()
    pending: dict[Future[Labels | Failure], int] = {}
    with (
        one_thread_each(),
        ProcessPoolExecutor(workers, context, _start, (packed, started)) as pool,
    ):
        try:
            while queue or pending:
                while queue and len(pending) < _AHEAD * workers:
                    future = pool.submit(_work, structures[queue[0]])
                    pending[future] = queue.popleft()  # last: submitting may raise
                for future in wait(pending, return_when=FIRST_COMPLETED).done:
                    outcome = future.result()
                    record(pending.pop(future), outcome)
        except BrokenProcessPool as error:
            if not started.is_set():
                raise LabelError(
                    "the worker processes could not start: in a script, call farfield under "
                    'if __name__ == "__main__": (or use workers=1)'
                ) from error
            return _in_flight(pending, record)
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    return []


def _in_flight(pending: dict[Future[Labels | Failure], int], record: Record) -> list[int]:
    lost = []
    for future, index in pending.items():
        if future.exception() is None:
            record(index, future.result())
        else:
            lost.append(index)
    return lost


# What follows runs in the worker processes.

_evaluator: Evaluator | None = None


def _start(packed: bytes, started: Event) -> None:
    global _evaluator
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent to handle
    end_with_parent()
    prior: Prior = pickle.loads(packed)
    threadpool_limits(1)
    _evaluator = Evaluator(prior)
    started.set()


def _work(atoms: Atoms) -> Labels | Failure:
    assert _evaluator is not None
    return _evaluator(atoms)
