"""Read structures from any file that ASE reads, check them, and name their labels."""

from __future__ import annotations

import gzip
import warnings
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from ase import Atoms
from ase.io import read as ase_read

from farfield.errors import StructureError
from farfield.structures.checks import check
from farfield.structures.labels import REFERENCE, UNKNOWN_LEVEL, Labels, attach, describe

_XYZ = (".xyz", ".extxyz", ".xyz.gz", ".extxyz.gz")
_LEVEL_KEYS = ("level_of_theory", "theory", "method")
_UNIT_KEYS = ("units", "unit", "energy_unit", "energy_units")
_ELECTRONVOLT = ("ev", "electronvolt", "ev, ev/ang", "ev/å", "ev/a")


def read(paths: Path | str | Sequence[Path | str]) -> list[Atoms]:
    """Read and check every structure of one or more files.

    Reference labels found in a file, as ``REF_energy`` and ``REF_forces`` or as ASE's own
    ``energy`` and ``forces``, are kept under ``REF_*``; see :mod:`farfield.structures.labels`.
    ``info["farfield_file"]`` and ``info["farfield_index"]`` say where a structure came from.

    Raises
    ------
    StructureError
        A file is missing, empty, truncated or unreadable; or a structure in it fails
        :func:`farfield.structures.checks.check`, or declares units other than eV.
    """
    if isinstance(paths, (str, Path)):
        paths = [paths]
    structures = []
    for path in map(Path, paths):
        for index, atoms in enumerate(_read_file(path)):
            atoms.info["farfield_file"] = path.name
            atoms.info["farfield_index"] = index
            _refuse_foreign_units(atoms)
            check(atoms)
            _name_reference(atoms)
            structures.append(atoms)
    return structures


def _read_file(path: Path) -> list[Atoms]:
    if not path.exists():
        raise StructureError(f"{path}: no such file")
    if path.stat().st_size == 0:
        raise StructureError(f"{path}: the file is empty")
    if path.name.endswith(_XYZ):
        _refuse_unfinished(path)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", UserWarning)  # ASE warns where it would guess
            structures = ase_read(path, index=":")
    except Exception as error:  # noqa: BLE001 - ASE's readers raise any type
        reason = " ".join(str(error).split()) or type(error).__name__
        raise StructureError(
            f"{path}: ASE cannot read it ({reason}): is it complete, and is its name's "
            "ending that of its format?"
        ) from error
    if not structures:
        raise StructureError(f"{path}: it holds no structure")
    return structures if isinstance(structures, list) else [structures]


def _refuse_unfinished(path: Path) -> None:
    """A text file cut off inside a number parses without complaint; its last byte tells."""
    try:
        if path.suffix == ".gz":
            with gzip.open(path, "rb") as handle:
                last = handle.read()[-1:]
        else:
            with path.open("rb") as handle:
                handle.seek(-1, 2)
                last = handle.read()
    except (OSError, EOFError) as error:
        raise StructureError(f"{path}: the file is truncated or damaged ({error})") from error
    if last != b"\n":
        raise StructureError(
            f"{path}: its last line has no end, so it may be truncated: "
            "fetch it again, or add the final newline if it is complete"
        )


def _refuse_foreign_units(atoms: Atoms) -> None:
    for key in _UNIT_KEYS:
        declared = atoms.info.get(key)
        if isinstance(declared, str) and declared.strip().lower() not in _ELECTRONVOLT:
            raise StructureError(
                f"{describe(atoms)} declares {key}={declared!r}: convert it to eV and Å first"
            )


def _name_reference(atoms: Atoms) -> None:
    """Keep the file's labels under ``REF_*`` and drop the calculator that ASE attached."""
    results = dict(atoms.calc.results) if atoms.calc is not None else {}
    atoms.calc = None
    energy = atoms.info.get(f"{REFERENCE}_energy", results.get("energy"))
    forces = atoms.arrays.get(f"{REFERENCE}_forces", results.get("forces"))
    if energy is None and forces is None:
        return
    level = atoms.info.get(f"{REFERENCE}_level_of_theory")
    if level is None:
        found = (atoms.info[key] for key in _LEVEL_KEYS if key in atoms.info)
        level = next(found, UNKNOWN_LEVEL)
    stress = atoms.info.get(f"{REFERENCE}_stress", results.get("stress"))
    if forces is not None and np.shape(forces) != (len(atoms), 3):
        raise StructureError(f"{describe(atoms)}: forces have the shape {np.shape(forces)}")
    attach(atoms, Labels(energy, forces, stress, str(level)))
