"""Open an HDF5 file, and take arrays of agreeing lengths from a group of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from farfield.errors import DatasetError, DependencyError


@contextmanager
def opened(path: Path) -> Iterator[Any]:
    """The file, open to be read; a truncated or damaged one is a DatasetError."""
    try:
        import h5py
    except ImportError as error:
        raise DependencyError("h5py", "data", f"reading {path.name}") from error
    try:
        with h5py.File(path, "r") as handle:
            yield handle
    except (OSError, RuntimeError) as error:  # h5py raises these for what it cannot read
        reason = " ".join(str(error).split())[:200]
        raise DatasetError(
            f"{path}: it is no whole HDF5 file ({reason}): fetch it again"
        ) from error


def require(group: Any, keys: Sequence[str], path: Path) -> None:
    """Raise unless the group has all of these arrays."""
    for key in keys:
        if key not in group:
            raise DatasetError(
                f"{path}, group {group.name}: it has no {key!r}; it holds {', '.join(group)}"
            )


def count_of(group: Any, per_frame: Sequence[str], n_atoms: int, path: Path) -> int:
    """The number of structures: arrays of ``per_frame`` are (n,), (n, 1) or (n, N, 3)."""
    count = int(group[per_frame[0]].shape[0])
    for key in per_frame:
        shape = group[key].shape
        if shape not in ((count,), (count, 1), (count, n_atoms, 3)):
            raise DatasetError(
                f"{path}, group {group.name}: {key!r} has the shape {shape}, and there are "
                f"{count} structures of {n_atoms} atoms: the lengths must agree"
            )
    return count


def unit_of(array: Any) -> str:
    """The unit that an array declares in its attribute ``units``; empty when it does not."""
    value = array.attrs.get("units", "")
    return value.decode() if isinstance(value, bytes) else str(value)
