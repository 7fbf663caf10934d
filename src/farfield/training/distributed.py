"""Several processes that train one model: each computes a share of every batch.

``torchrun --nproc-per-node 2 -m farfield train ...`` starts them. The gradients are summed by
``all_reduce`` after the backward pass, and not by torch's ``DistributedDataParallel``. That wraps
a module and calls its forward pass; a potential here is a contract, whose forward pass
differentiates once already. And it takes the plain mean over the processes, while the loss is a
mean over atoms, of which the processes' shares hold different numbers.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import TypeVar, final

import numpy as np
import numpy.typing as npt
import torch
import torch.distributed as dist

Floats = npt.NDArray[np.float64]
Item = TypeVar("Item")

PATIENCE = timedelta(days=1)  # the others wait so long while the first labels structures


@final
class Processes:
    """The processes that train together: those of :func:`joined`, or this one alone.

    Attributes
    ----------
    rank, count
        Number of this process, and of all.
    """

    def __init__(self) -> None:
        several = dist.is_available() and dist.is_initialized()
        self.rank = dist.get_rank() if several else 0
        self.count = dist.get_world_size() if several else 1

    @property
    def first(self) -> bool:
        """Whether this is the process that writes files and reports."""
        return self.rank == 0

    def share(self, items: Sequence[Item]) -> Sequence[Item]:
        """What this process computes of ``items``."""
        return items[self.rank :: self.count]

    def sum(self, values: Floats) -> Floats:
        """Sum over all processes."""
        if self.count == 1:
            return values
        total = torch.from_numpy(np.array(values, dtype=np.float64))
        dist.all_reduce(total)
        return total.numpy()

    def sum_gradients(self, parameters: Sequence[torch.nn.Parameter]) -> None:
        """Sum the gradients over all processes; one that no process has stays None."""
        if self.count == 1:
            return
        given = [parameter.grad is not None for parameter in parameters]
        gradients = [
            torch.zeros_like(parameter) if parameter.grad is None else parameter.grad
            for parameter in parameters
        ]
        marks = gradients[0].new_tensor(given)
        flat = torch.cat([marks, *(gradient.flatten() for gradient in gradients)])
        dist.all_reduce(flat)
        marks, *parts = flat.split([len(marks), *(gradient.numel() for gradient in gradients)])
        for parameter, mark, part in zip(parameters, marks.tolist(), parts, strict=True):
            parameter.grad = part.view_as(parameter) if mark else None

    @contextmanager
    def first_ahead(self) -> Iterator[None]:
        """Let the first process do something before the others do, who then find it done."""
        if not self.first:
            self.wait()
        yield
        if self.first:
            self.wait()

    def wait(self) -> None:
        """Wait for all processes."""
        if self.count > 1:
            dist.barrier()


@contextmanager
def joined(device: str) -> Iterator[str]:
    """Join the processes that torchrun started, if it did; yield the device of this one."""
    if not _launched() or dist.is_initialized():
        yield device
        return
    if device == "cuda":
        device = f"cuda:{os.environ['LOCAL_RANK']}"
        torch.cuda.set_device(device)
    dist.init_process_group("cpu:gloo,cuda:nccl" if device != "cpu" else "gloo", timeout=PATIENCE)
    try:
        yield device
        dist.barrier()
    finally:
        dist.destroy_process_group()


def is_first() -> bool:
    """Whether this process speaks for all, also before it has joined the others."""
    return not _launched() or os.environ["RANK"] == "0"


def _launched() -> bool:
    return dist.is_available() and dist.is_torchelastic_launched()
