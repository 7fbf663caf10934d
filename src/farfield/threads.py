"""One thread per process: on few cores, small models and xTB run slower with more."""

from __future__ import annotations

import os

from threadpoolctl import threadpool_limits


def limit_threads(count: int = 1) -> None:
    """Limit torch, BLAS and OpenMP of this process, and of its future children, to ``count``."""
    import torch

    os.environ["OMP_NUM_THREADS"] = str(count)
    torch.set_num_threads(count)
    threadpool_limits(count)
