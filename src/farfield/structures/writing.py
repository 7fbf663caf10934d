"""Write structures atomically, with full precision, in extended XYZ."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ase import Atoms
from ase.io import write as ase_write

from farfield.files import atomic


def write(path: Path | str, structures: Sequence[Atoms]) -> None:
    """Write ``structures`` to one extended-XYZ file; the file is whole or absent."""
    with atomic(Path(path)) as partial:
        ase_write(partial, list(structures), format="extxyz", write_results=False)
