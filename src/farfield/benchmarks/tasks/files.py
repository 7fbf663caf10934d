"""Structures of the files that a task names; those of a public data set are read once."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from ase import Atoms

from farfield.datasets.fetching import datasets_folder
from farfield.structures import is_reference, read

_KEPT = 8  # data sets; a sample of one may take a pass over many gigabytes


def read_file(path: Path) -> list[Atoms]:
    """Read a file, or a reference to a data set, as :func:`farfield.structures.read` does."""
    if is_reference(path):
        return [atoms.copy() for atoms in _of_data_set(str(path), datasets_folder())]
    return read(path)


@lru_cache(maxsize=_KEPT)
def _of_data_set(reference: str, folder: Path) -> tuple[Atoms, ...]:
    return tuple(read(reference))
