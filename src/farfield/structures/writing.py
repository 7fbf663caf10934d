"""Write structures atomically: in extended XYZ, or in any other format that ASE writes."""

from __future__ import annotations

import gzip
import io
import tempfile
from collections.abc import Sequence
from pathlib import Path

from ase import Atoms
from ase.calculators.singlepoint import SinglePointCalculator
from ase.io import write as ase_write
from ase.io.formats import UnknownFileTypeError, filetype, ioformats

from farfield.errors import StructureError
from farfield.files import atomic
from farfield.structures.labels import REFERENCE, labels_of

EXTENDED_XYZ = "extxyz"


def write(path: Path | str, structures: Sequence[Atoms]) -> None:
    """Write ``structures`` to one file, which is whole or absent.

    The name's ending decides the format, as in ASE; without a known ending it is extended XYZ,
    the one format that keeps all labels under their names: what ``info`` and ``arrays`` hold is
    kept, per-atom values (positions, forces) to eight decimals, those of a structure (energy,
    cell) in full. Results of an attached calculator are not, see
    :func:`farfield.structures.attach`. Line breaks in texts become spaces, since the format has
    none. A name that ends in ``.gz`` is compressed. Every other format keeps of the labels what
    ASE's writer takes of the reference's energy, forces and stress.

    Raises
    ------
    StructureError
        There is no structure, or the format cannot hold what there is.
    """
    path = Path(path)
    if not structures:
        raise StructureError(f"{path}: no structure to write")
    form = _format(path)
    try:
        if form == EXTENDED_XYZ:
            _write_xyz(path, structures)
        else:
            _write_other(path, structures, form)
    except (KeyError, TypeError, ValueError, NotImplementedError) as error:
        reason = " ".join(str(error).split())
        raise StructureError(
            f"{path}: the format {form} cannot hold these structures ({reason}): extended XYZ "
            "(.extxyz) holds any"
        ) from error


def _format(path: Path) -> str:
    """ASE's name of the format that the file's name asks for."""
    try:
        form = str(filetype(path.name.removesuffix(".gz"), read=False))
    except UnknownFileTypeError:
        return EXTENDED_XYZ
    known = form in ioformats and ioformats[form].can_write and form != "xyz"
    return form if known else EXTENDED_XYZ


def _write_xyz(path: Path, structures: Sequence[Atoms]) -> None:
    text = io.StringIO()
    ase_write(text, list(map(_on_one_line, structures)), format=EXTENDED_XYZ, write_results=False)
    content = text.getvalue().encode("utf-8")
    if path.suffix == ".gz":
        content = gzip.compress(content, mtime=0)  # no time: same content, same bytes
    with atomic(path) as partial:
        partial.write_bytes(content)


def _write_other(path: Path, structures: Sequence[Atoms], form: str) -> None:
    """Some of ASE's writers look at the file's name, so it is written elsewhere, then moved."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=".farfield-") as folder:
        partial = Path(folder) / path.name
        ase_write(partial, list(map(_with_results, structures)), format=form)
        partial.replace(path)


def _with_results(atoms: Atoms) -> Atoms:
    """A copy whose reference labels are results of a calculator, as ASE's writers take them."""
    copy: Atoms = atoms.copy()
    labels = labels_of(atoms)
    if labels is not None:
        for key in ("energy", "forces", "stress", "level_of_theory"):  # a part would hide the rest
            copy.info.pop(f"{REFERENCE}_{key}", None)
            copy.arrays.pop(f"{REFERENCE}_{key}", None)
        copy.info["level_of_theory"] = labels.level_of_theory
        found = {"energy": labels.energy, "forces": labels.forces, "stress": labels.stress}
        copy.calc = SinglePointCalculator(
            copy, **{key: value for key, value in found.items() if value is not None}
        )
    return copy


def _on_one_line(atoms: Atoms) -> Atoms:
    copy: Atoms = atoms.copy()
    for key, value in copy.info.items():
        if isinstance(value, str):
            copy.info[key] = " ".join(value.splitlines())
    return copy
