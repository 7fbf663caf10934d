"""How processes run: one thread, memory that they keep, and workers that end with their parent."""

from __future__ import annotations

import multiprocessing
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing import connection

from threadpoolctl import threadpool_limits

from farfield.memory import keep_freed_memory

_THREAD_VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


def set_up_process(threads: int = 1) -> None:
    """Limit this process and its future children to some threads, and let it keep freed memory.

    On few cores, small models and xTB run slower with more than one thread of torch, BLAS and
    OpenMP.
    """
    import torch

    os.environ["OMP_NUM_THREADS"] = str(threads)
    torch.set_num_threads(threads)
    threadpool_limits(threads)
    keep_freed_memory()


@contextmanager
def one_thread_each() -> Iterator[None]:
    """Let processes started meanwhile use one thread each, from their first import on."""
    before = {name: os.environ.get(name) for name in _THREAD_VARIABLES}
    os.environ.update(dict.fromkeys(_THREAD_VARIABLES, "1"))
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def end_with_parent() -> None:
    """Let this worker process end when its parent does, even if that was killed."""
    threading.Thread(target=_wait_for_parent, daemon=True).start()


def _wait_for_parent() -> None:
    parent = multiprocessing.parent_process()
    assert parent is not None
    connection.wait([parent.sentinel])
    os._exit(1)
