"""Copies of torch modules that share every weight, so that one part can be another."""

from __future__ import annotations

import copy
from typing import Any

import torch

LEAST_WEIGHT = 0.01  # that an edge at a new radius has: to drop lighter ones is no change
LARGEST_SHARE = 1.25  # of the trained radius: what lies beyond was never trained on


def view(module: torch.nn.Module) -> Any:
    """Return a shallow copy of ``module``.

    Its tables of parts, parameters and buffers are its own; what stands in them is shared, so
    that no weight is held twice. Replacing a part or a buffer leaves the original as it was.
    """
    shallow = copy.copy(module)
    for table in ("_modules", "_parameters", "_buffers"):
        setattr(shallow, table, dict(getattr(module, table)))
    return shallow
