"""Floating-point type and device of a model, as they are named on the command line."""

from __future__ import annotations

import torch

from farfield.errors import ConfigError, did_you_mean
from farfield.potentials import Potential, TrainablePotential
from farfield.refinement import load_model

DEVICES = ("cpu", "cuda")
DTYPES = {"float32": torch.float32, "float64": torch.float64}


def require_place(device: str, dtype: str | None) -> None:
    """Raise unless there is such a device here, and such a type."""
    for what, name, known in (
        ("device", device, DEVICES),
        ("dtype", dtype or "float32", DTYPES),
    ):
        if name not in known:
            raise ConfigError(f"unknown {what} {name!r}{did_you_mean(name, known)}")
    if device == "cuda" and not torch.cuda.is_available():
        raise ConfigError("there is no CUDA device here, or torch cannot use it: leave cuda away")


def placed(model: Potential | str, device: str, dtype: str | None) -> Potential:
    """Load a model in a type (None: its own) on a device.

    Raises
    ------
    ConfigError
        It cannot be brought there.
    """
    if device == "cpu" and dtype is None:
        return load_model(model)
    if isinstance(model, Potential):
        raise ConfigError(
            f"{model.name} was given as an object, which has its type and device: load it with "
            "farfield.load_model(..., dtype=, device=)"
        )
    found = load_model(model, dtype=None if dtype is None else DTYPES[dtype], device=device)
    base = getattr(found, "base", found)
    fits = (
        isinstance(base, TrainablePotential)
        and base.device.type == device
        and (dtype is None or base.dtype == DTYPES[dtype])
    )
    if not fits:
        raise ConfigError(
            f"{model}: this model cannot be brought to {' '.join(filter(None, (dtype, device)))}: "
            "leave --dtype and --device away"
        )
    return found
