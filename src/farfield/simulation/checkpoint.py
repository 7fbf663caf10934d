"""A group of simulations on disk, so that a killed run goes on where it was."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from farfield.errors import ConfigError
from farfield.files import atomic

Arrays = dict[str, npt.NDArray[np.float64]]


@dataclass(frozen=True)
class Checkpoint:
    """Everything that the next step of a group depends on.

    Attributes
    ----------
    run
        Hash of the model, the starts and the settings; that of another run is not used.
    segment
        How often the model was refined anew.
    step
        Number of steps done.
    seconds
        Wall time so far.
    plain
        For each simulation: random numbers, checks, sizes of its files, how it went.
    arrays
        For each simulation: positions, momenta, cell, energy, forces, stress.
    """

    run: str
    segment: int
    step: int
    seconds: float
    plain: list[dict[str, Any]]
    arrays: list[Arrays]


def save(path: Path, checkpoint: Checkpoint) -> None:
    """Write ``checkpoint`` atomically."""
    content = {key: value for key, value in vars(checkpoint).items() if key != "arrays"}
    arrays: dict[str, Any] = {"content": np.array(json.dumps(content))}
    for index, each in enumerate(checkpoint.arrays):
        arrays |= {f"{index}/{key}": value for key, value in each.items()}
    with atomic(path) as partial, partial.open("wb") as handle:
        np.savez(handle, allow_pickle=False, **arrays)


def load(path: Path, run: str) -> Checkpoint | None:
    """Read the checkpoint of ``run``; None when there is none.

    Raises
    ------
    ConfigError
        The file is damaged, or belongs to another run.
    """
    if not path.exists():
        return None
    try:
        with path.open("rb") as handle, np.load(handle, allow_pickle=False) as stored:
            content = json.loads(str(stored["content"]))
            arrays: list[Arrays] = [{} for _ in content["plain"]]
            for key in stored.files:
                index, _, name = key.partition("/")
                if name:
                    arrays[int(index)][name] = stored[key]
        found = Checkpoint(**content, arrays=arrays)
    except Exception as error:
        raise ConfigError(f"{path}: not a readable checkpoint: remove it to start anew") from error
    if found.run != run:
        raise ConfigError(
            f"{path}: the checkpoint belongs to another run (another model, other starts, settings "
            "or workers): choose another output folder"
        )
    return found
