"""The one door to the package chgnet: lazy, quiet, and without touching random state."""

from __future__ import annotations

import io
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from pathlib import Path
from typing import Any, cast

import torch

from farfield.errors import DependencyError, ModelError

PRETRAINED_ALIASES = {"chgnet": "0.3.0", "chgnet-r2scan": "r2scan"}
N_ELEMENTS = 94  # rows of CHGNet's tables, from hydrogen on
_UNSEEN = frozenset(range(84, 89))  # Po to Ra: in CHGNet's tables, but not in its training set
_UNSEEN_BY_R2SCAN = _UNSEEN | {70}


def chgnet_class() -> Any:
    """Return the class :class:`chgnet.model.model.CHGNet`.

    Raises
    ------
    DependencyError
        chgnet is not installed.
    """
    with contained():
        try:
            from chgnet.model.model import CHGNet
        except ModuleNotFoundError as error:
            raise DependencyError("chgnet", "chgnet", "a CHGNet model") from error
    return CHGNet


def build(arguments: dict[str, Any]) -> torch.nn.Module:
    """Build a CHGNet with random weights from its constructor's arguments."""
    make = chgnet_class()
    with contained(), torch.random.fork_rng(devices=[]):
        return cast(torch.nn.Module, make(**arguments))


def load_pretrained(alias: str) -> torch.nn.Module:
    """Load pretrained weights that come with the package."""
    make = chgnet_class()
    with contained(), torch.random.fork_rng(devices=[]):
        name = PRETRAINED_ALIASES[alias]
        return cast(torch.nn.Module, make.load(model_name=name, use_device="cpu", verbose=False))


def load_native(path: Path) -> torch.nn.Module:
    """Load chgnet's own file, as its trainer and :meth:`ChgnetPotential.export` write it.

    Only tensors and plain values are read from it, no code.

    Raises
    ------
    ModelError
        The file cannot be read as a CHGNet model.
    """
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)["model"]
        module = build(content["model_args"])
        module.load_state_dict(content["state_dict"])
    except DependencyError:
        raise
    except Exception as error:
        reason = " ".join(str(error).split())[:200]
        raise ModelError(f"{path}: not a readable CHGNet model file ({reason})") from error
    return module


def known_elements(version: str | None) -> frozenset[int]:
    """Atomic numbers in the training set of a version; a model without one is taken as 0.3.0."""
    unseen = _UNSEEN_BY_R2SCAN if version == "r2scan" else _UNSEEN
    return frozenset(range(1, N_ELEMENTS + 1)) - unseen


@contextmanager
def contained() -> Iterator[None]:
    """Keep chgnet's greetings away, and its warnings, which concern chgnet's developers."""
    with warnings.catch_warnings(), redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")
        yield
