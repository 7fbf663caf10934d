"""A training run on disk, so that a killed one goes on where it was."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from farfield.errors import ModelError
from farfield.files import atomic


@dataclass(frozen=True)
class Checkpoint:
    """Everything that the next epoch depends on.

    Attributes
    ----------
    run
        Hash of the start, the settings and the data; a checkpoint of another run is not used.
    epoch
        Number of finished epochs.
    model, averaged
        Weights, and their exponential moving average.
    best
        Those of the best epoch, when the run may end early; else empty.
    optimiser, schedule
        States of Adam and of the learning rate.
    history
        What the finished epochs recorded.
    """

    run: str
    epoch: int
    model: dict[str, torch.Tensor]
    averaged: list[torch.Tensor]
    best: list[torch.Tensor]
    optimiser: dict[str, Any]
    schedule: dict[str, Any]
    history: list[dict[str, float]]


def save(path: Path, checkpoint: Checkpoint) -> None:
    """Write ``checkpoint`` atomically."""
    with atomic(path) as partial:
        torch.save(vars(checkpoint), partial)


def second(path: Path) -> Path:
    """Where the second phase of a run keeps its checkpoint, beside that of the first."""
    return path.with_name(f"{path.name}-2")


def remove(path: Path) -> None:
    """Remove the checkpoints of a run whose model is written."""
    for each in (path, second(path)):
        each.unlink(missing_ok=True)


def load(path: Path, run: str) -> Checkpoint | None:
    """Read the checkpoint of ``run``; None when there is none.

    Raises
    ------
    ModelError
        The checkpoint belongs to another run: going on from it would mix the two.
    """
    if not path.exists():
        return None
    try:
        checkpoint = Checkpoint(**torch.load(path, weights_only=True))
    except Exception as error:
        raise ModelError(f"{path}: not a readable checkpoint: remove it to start anew") from error
    if checkpoint.run != run:
        raise ModelError(
            f"{path}: the checkpoint belongs to a run with another start, other data or settings: "
            "remove it, or choose another output"
        )
    return checkpoint
