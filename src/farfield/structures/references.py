"""What is named like a file, and is a data set: ``NAME:SUBSET``."""

from __future__ import annotations

import re
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

from ase import Atoms

_NAME = re.compile(r"[A-Za-z0-9][\w.-]*:.+")
_READER = "farfield.datasets.reading"  # imported when asked for: it stands above this package


def is_reference(spec: Path | str) -> bool:
    """Whether this names structures of a data set; a file of that name comes first."""
    return _NAME.fullmatch(str(spec)) is not None and not Path(spec).exists()


def read_reference(spec: str) -> list[Atoms]:
    """Read the structures of a data set."""
    structures: list[Atoms] = import_module(_READER).read_reference(spec)
    return structures


def stream_reference(spec: str) -> Iterator[Atoms]:
    """Read the structures of a data set of any size one at a time."""
    structures: Iterator[Atoms] = iter(import_module(_READER).stream(spec))
    return structures
