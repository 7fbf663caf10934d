"""The frames of one simulation as extended XYZ, and the end of a trajectory of either format."""

from __future__ import annotations

import io
import os
from pathlib import Path
from typing import BinaryIO, final

from ase import Atoms
from ase.io import read as ase_read
from ase.io import write as ase_write

from farfield.errors import ConfigError
from farfield.structures import read_h5md

NAMES = {"extxyz": "trajectory.extxyz", "hdf5": "trajectory.h5"}


@final
class ExtxyzTrajectory:
    """Frames as they come, in one text file.

    Parameters
    ----------
    path
        The file.
    size
        How many bytes of it to keep; None begins anew.
    """

    def __init__(self, path: Path, size: int | None) -> None:
        self._handle = opened(path, size)

    def add(self, atoms: Atoms) -> None:
        """Write one frame."""
        self._handle.write(extxyz([atoms]))

    def sync(self) -> int:
        """Bring all that was written to the disk; return the size, bytes."""
        return synced(self._handle)

    def close(self) -> None:
        """Close the file."""
        self._handle.close()


def opened(path: Path, size: int | None) -> BinaryIO:
    """A file to be written: a new one, or what is there cut back to ``size`` bytes.

    Raises
    ------
    ConfigError
        It is missing, or shorter than that.
    """
    if size is None:
        return path.open("wb")
    if not path.exists() or path.stat().st_size < size:
        raise shortened(path)
    handle = path.open("r+b")
    handle.truncate(size)
    handle.seek(size)
    return handle


def shortened(path: Path) -> ConfigError:
    """The error of a file that holds less than the checkpoint says."""
    return ConfigError(
        f"{path}: missing, or shorter than when the checkpoint was written: choose another "
        "output folder"
    )


def synced(handle: BinaryIO) -> int:
    """Bring all that was written to the disk; return the size, bytes."""
    handle.flush()
    os.fsync(handle.fileno())
    return handle.tell()


def extxyz(frames: list[Atoms]) -> bytes:
    """Extended XYZ, all that is known of each frame included."""
    text = io.StringIO()
    ase_write(text, frames, format="extxyz", write_results=False)
    return text.getvalue().encode()


def last_frames(path: Path, count: int) -> list[Atoms]:
    """The last ``count`` frames of a trajectory of either format; fewer where it is shorter."""
    if path.name == NAMES["hdf5"]:
        return read_h5md(path, count)
    found = ase_read(path, index=f"-{count}:", format="extxyz")
    return found if isinstance(found, list) else [found]
