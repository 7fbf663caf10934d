"""The one door to graph-pes: lazy, with its side effects on the process kept out."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from typing import Any

import torch

from farfield.errors import DependencyError


def graphpes_models() -> Any:
    """Return :mod:`graph_pes.models`.

    Raises
    ------
    DependencyError
        graph-pes is not installed.
    """
    torch.serialization.add_safe_globals([slice])  # e3nn reads its constants with it
    with contained():
        try:
            from graph_pes import models
        except ModuleNotFoundError as error:
            raise DependencyError("graph-pes", "graphpes", "this architecture") from error
    return models


def graph_class() -> Any:
    """Return :class:`graph_pes.AtomicGraph`."""
    graphpes_models()
    from graph_pes import AtomicGraph

    return AtomicGraph


def scaler_class() -> Any:
    """Return the class of the layer that scales local energies per element."""
    graphpes_models()
    from graph_pes.models.components.scaling import LocalEnergiesScaler

    return LocalEnergiesScaler


@contextmanager
def contained() -> Iterator[None]:
    """Undo what graph-pes does to warnings; what is printed goes to standard error."""
    with warnings.catch_warnings(), redirect_stdout(sys.stderr):
        warnings.simplefilter("ignore")
        yield
