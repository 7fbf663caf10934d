"""Read structures from any file that ASE reads, check them, and name their labels."""

from __future__ import annotations

import io
import warnings
from collections.abc import Sequence
from pathlib import Path

from ase import Atoms
from ase.io import read as ase_read

from farfield.errors import StructureError
from farfield.structures.checks import check
from farfield.structures.h5md import is_hdf5, read_h5md
from farfield.structures.labels import describe
from farfield.structures.naming import name_reference
from farfield.structures.references import is_reference, read_reference
from farfield.structures.units import refuse_foreign_units
from farfield.structures.xyz import is_xyz, whole_text


def read(paths: Path | str | Sequence[Path | str]) -> list[Atoms]:
    """Read and check every structure of one or more files.

    A reference such as ``rmd17:aspirin@count=100`` stands for structures of a public data set;
    see :mod:`farfield.datasets`.

    Reference labels are moved to ``REF_*`` by the rule of :mod:`farfield.structures.naming`;
    other results that the file holds (charges, magnetic moments) are dropped, and so are
    constraints, which would make ASE report forces of zero. ``info["farfield_file"]`` and
    ``info["farfield_index"]`` say where a structure came from.

    Raises
    ------
    StructureError
        A file is missing, empty, truncated (where its format can show it) or unreadable;
        or a structure in it fails :func:`farfield.structures.checks.check`, has partly
        occupied sites, declares units other than eV and Å, or has impossible labels.
    """
    if isinstance(paths, (str, Path)):
        paths = [paths]
    structures = []
    for given in paths:
        if is_reference(given):
            structures += read_reference(str(given))
            continue
        path = Path(given)
        for index, atoms in enumerate(_read_file(path)):
            atoms.info["farfield_file"] = path.name
            atoms.info["farfield_index"] = index
            atoms.set_constraint()
            _refuse_partial_occupancy(atoms)
            refuse_foreign_units(atoms)
            check(atoms)
            name_reference(atoms)
            structures.append(atoms)
    return structures


def _read_file(path: Path) -> list[Atoms]:
    if not path.exists():
        raise StructureError(f"{path}: no such file")
    if path.is_dir():
        raise StructureError(f"{path} is a folder: name the files in it")
    if path.stat().st_size == 0:
        raise StructureError(f"{path}: the file is empty")
    if is_xyz(path):
        text, count = whole_text(path)
        structures = _parse(path, io.StringIO(text), "extxyz")
        if len(structures) != count:
            raise StructureError(f"{path}: ASE read {len(structures)} of {count} structures")
        return structures
    if is_hdf5(path):
        return read_h5md(path)
    _refuse_unfinished(path)
    return _parse(path, path, None)


def _parse(path: Path, source: Path | io.StringIO, file_format: str | None) -> list[Atoms]:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", UserWarning)  # ASE warns where it would guess
            found = ase_read(source, index=":", format=file_format, do_not_split_by_at_sign=True)
    except Exception as error:  # ASE's readers raise any type
        reason = f"{type(error).__name__}: {' '.join(str(error).split())}"[:300]
        raise StructureError(
            f"{path}: ASE cannot read it ({reason}): is it complete, and is its name's "
            "ending that of its format?"
        ) from error
    structures = found if isinstance(found, list) else [found]
    if not structures:
        raise StructureError(f"{path}: it holds no structure")
    return structures


def _refuse_unfinished(path: Path) -> None:
    """Refuse a text file without a final newline: cut off inside a number, it would parse."""
    with path.open("rb") as handle:
        handle.seek(max(path.stat().st_size - 512, 0))
        tail = handle.read()
    text = b"\0" not in tail and tail.isascii()
    if text and tail[-1:] not in b"\n}]>":  # JSON and XML close what they open
        raise StructureError(
            f"{path}: its last line has no end, so it may be truncated: "
            "fetch it again, or add the final newline if it is complete"
        )


def _refuse_partial_occupancy(atoms: Atoms) -> None:
    occupancy = atoms.info.get("occupancy")
    if not isinstance(occupancy, dict):
        return
    for site in occupancy.values():
        if isinstance(site, dict) and any(share < 1.0 for share in site.values()):
            words = ", ".join(f"{element} {share:g}" for element, share in site.items())
            raise StructureError(
                f"{describe(atoms)} has a partly occupied site ({words}): "
                "give an ordered structure, in which every site holds one atom"
            )
