"""(Extended) XYZ text: decompress it, and prove that every frame of it is whole.

ASE's reader stops without a word at a blank line and at a number cut short, so the frames
are counted here first.
"""

from __future__ import annotations

import bz2
import gzip
import lzma
import zlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from farfield.errors import StructureError

_OPENERS: dict[str, Callable[..., Any]] = {
    ".gz": gzip.open,
    ".bz2": bz2.open,
    ".xz": lzma.open,
}
_DAMAGE = (OSError, EOFError, zlib.error, lzma.LZMAError)


def is_xyz(path: Path) -> bool:
    """Whether the name says (extended) XYZ, compressed or not."""
    name = path.name.lower()
    for ending in _OPENERS:
        name = name.removesuffix(ending)
    return name.endswith((".xyz", ".extxyz"))


def whole_text(path: Path) -> tuple[str, int]:
    """Return the text of an XYZ file and the number of its frames.

    Raises
    ------
    StructureError
        The file is empty, damaged, or ends before its last frame does; or something that
        is no frame stands between two frames. A file cut exactly between two frames is a
        whole file to any reader: only the number of frames can tell.
    """
    text = _decoded(path)
    if not text.strip():
        raise StructureError(f"{path}: the file is empty")
    if not text.endswith("\n"):
        raise StructureError(
            f"{path}: its last line has no end, so it may be truncated: "
            "fetch it again, or add the final newline if it is complete"
        )
    return text, len(frame_starts(text.split("\n")[:-1], path)) - 1


def _decoded(path: Path) -> str:
    opener = _OPENERS.get(path.suffix.lower())
    try:
        with (open if opener is None else opener)(path, "rb") as handle:
            content: bytes = handle.read()
    except _DAMAGE as error:
        raise StructureError(f"{path}: the file is truncated or damaged ({error})") from error
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise StructureError(f"{path}: it is not UTF-8 text ({error}): convert it") from error
    return text.replace("\r\n", "\n").replace("\r", "\n")


def frame_starts(lines: Sequence[str], path: Path | str) -> list[int]:
    """Return the line at which every frame begins, and after them where the last one ends.

    Parameters
    ----------
    lines
        The lines of an XYZ file.
    path
        What to call the file in an error.

    Raises
    ------
    StructureError
        A frame is not whole, or something that is no frame stands between two frames.
    """
    starts: list[int] = []
    position = 0
    while position < len(lines):
        if not lines[position].strip():
            _only_blank_lines(lines, position, path)
            break
        n_atoms = _atom_count(lines[position], position, path)
        end = position + 2 + n_atoms
        if end > len(lines):
            raise StructureError(
                f"{path}: structure {len(starts)} has {max(len(lines) - position - 2, 0)} of its "
                f"{n_atoms} atoms: the file is truncated"
            )
        starts.append(position)
        position = end
        while position < len(lines) and lines[position].lstrip().startswith("VEC"):
            position += 1  # cell vectors, as ADF and AMS write them
    return [*starts, position]


def _only_blank_lines(lines: Sequence[str], position: int, path: Path | str) -> None:
    for number, line in enumerate(lines[position:], start=position + 1):
        if line.strip():
            raise StructureError(
                f"{path}, line {number}: text after a blank line, where ASE would stop "
                "reading: remove the blank line between the structures"
            )


def _atom_count(line: str, position: int, path: Path | str) -> int:
    word = line.strip()
    if not (word.isascii() and word.isdigit()):
        raise StructureError(
            f"{path}, line {position + 1}: expected a number of atoms, found {line[:40]!r}"
        )
    return int(word)
