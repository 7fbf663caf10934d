"""Write structures atomically in extended XYZ."""

from __future__ import annotations

import gzip
import io
from collections.abc import Sequence
from pathlib import Path

from ase import Atoms
from ase.io import write as ase_write

from farfield.errors import StructureError
from farfield.files import atomic


def write(path: Path | str, structures: Sequence[Atoms]) -> None:
    """Write ``structures`` to one extended-XYZ file; the file is whole or absent.

    Per-atom values (positions, forces) are written to eight decimals, those of a structure
    (energy, cell) in full. What ``info`` and ``arrays`` hold is kept; results of an attached
    calculator are not, see :func:`farfield.structures.attach`. Line breaks in texts become
    spaces, since the format has none. A name that ends in ``.gz`` is compressed.

    Raises
    ------
    StructureError
        There is no structure, or one holds something that extended XYZ cannot express.
    """
    path = Path(path)
    if not structures:
        raise StructureError(f"{path}: no structure to write")
    text = io.StringIO()
    try:
        ase_write(text, list(map(_on_one_line, structures)), format="extxyz", write_results=False)
    except (KeyError, TypeError, ValueError) as error:
        raise StructureError(
            f"{path}: extended XYZ cannot hold these structures ({error})"
        ) from error
    content = text.getvalue().encode("utf-8")
    if path.suffix == ".gz":
        content = gzip.compress(content, mtime=0)  # no time: same content, same bytes
    with atomic(path) as partial:
        partial.write_bytes(content)


def _on_one_line(atoms: Atoms) -> Atoms:
    copy: Atoms = atoms.copy()
    for key, value in copy.info.items():
        if isinstance(value, str):
            copy.info[key] = " ".join(value.splitlines())
    return copy
