"""Extended XYZ files: alone, compressed, many in a folder, or many in a zip archive.

The text of one file is read at a time, and only the wanted frames of it are parsed.
"""

from __future__ import annotations

import io
import lzma
import zipfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from ase import Atoms
from ase.io.extxyz import read_extxyz

from farfield.datasets.contract import Block, Source
from farfield.datasets.frames import require_finite
from farfield.errors import DatasetError
from farfield.structures import Labels, attach, labels_of, name_reference
from farfield.structures.xyz import frame_starts, whole_text


def read_extended_xyz(source: Source, paths: Sequence[Path]) -> Iterator[Block]:
    """Yield one block for each file, whose energies and forces must be in eV and Å.

    Labels are found by the rule of :mod:`farfield.structures.naming`.
    """
    if not paths:
        raise DatasetError(f"{source.path}: there is no extended XYZ file in it")
    for path in paths:
        yield _block(source, whole_text(path)[0], str(path))


def read_zipped_xyz(source: Source, keep: Callable[[str], bool]) -> Iterator[Block]:
    """Yield one block for each extended XYZ file of a zip archive whose name ``keep`` takes."""
    try:
        with zipfile.ZipFile(source.path) as archive:
            names = [name for name in archive.namelist() if name.endswith((".extxyz", ".xyz"))]
            chosen = [name for name in names if keep(name)]
            if not chosen:
                raise DatasetError(f"{source.path}: none of its {len(names)} XYZ files is meant")
            for name in chosen:
                where = f"{source.path.name}/{name}"
                yield _block(source, _text(archive.read(name), where), where)
    except (zipfile.BadZipFile, lzma.LZMAError, EOFError, OSError) as error:
        raise DatasetError(
            f"{source.path}: it is no whole zip archive ({error}): fetch it again"
        ) from error


def _text(content: bytes, where: str) -> str:
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise DatasetError(
            f"{where}: no text in UTF-8 ({error.reason}), as XYZ files are"
        ) from error


def _block(source: Source, text: str, where: str) -> Block:
    lines = text.splitlines(keepends=True)
    starts = frame_starts(lines, where)

    def read(places: Sequence[int]) -> Iterator[Atoms]:
        for place in places:
            frame = "".join(lines[starts[place] : starts[place + 1]])
            yield _parsed(source, frame, f"{where}, structure {place}")

    return Block(len(starts) - 1, read)


def _parsed(source: Source, frame: str, where: str) -> Atoms:
    try:
        atoms: Atoms = next(read_extxyz(io.StringIO(frame), slice(0, 1)))
    except Exception as error:  # ASE's readers raise any type
        reason = f"{type(error).__name__}: {' '.join(str(error).split())}"[:200]
        raise DatasetError(f"{where}: ASE cannot read it ({reason})") from error
    name_reference(atoms)
    labels = labels_of(atoms) or Labels(None, None)
    require_finite(labels, where)
    attach(atoms, Labels(labels.energy, labels.forces, labels.stress, source.level_of_theory))
    return atoms
