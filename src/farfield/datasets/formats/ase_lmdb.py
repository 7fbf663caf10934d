"""ASE databases in LMDB files (``.aselmdb``), as fairchem writes them.

Each row is JSON, compressed by zlib, under its number in decimal; ``nextid`` and ``deleted_ids``
say which numbers there are. fairchem keeps ``atoms.info`` in a row's ``data``, other writers in
its ``key_value_pairs``, or in ``data["__info__"]``.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from ase import Atoms
from ase.io.jsonio import decode

from farfield.datasets.contract import Block, Source
from farfield.datasets.frames import labelled
from farfield.errors import DatasetError, DependencyError

_KEPT = ("charge", "spin")  # the rest may hold megabytes a structure
_VOIGT = ((0, 0), (1, 1), (2, 2), (1, 2), (0, 2), (0, 1))


def read_ase_lmdb(source: Source, paths: Sequence[Path]) -> Iterator[Block]:
    """Yield one block for each file; energies and forces are in eV and Å by ASE's convention."""
    if not paths:
        raise DatasetError(f"{source.path}: there is no .aselmdb file in it")
    for path in paths:
        with _opened(path) as transaction:
            ids = _ids(transaction, path)

            def read(
                places: Sequence[int],
                transaction: Any = transaction,
                ids: Sequence[int] = ids,
                path: Path = path,
            ) -> Iterator[Atoms]:
                for place in places:
                    yield _structure(source, transaction, ids[place], path)

            yield Block(len(ids), read)


def files_below(path: Path, pattern: str = "*.aselmdb") -> list[Path]:
    """The file itself, or the files of a folder and of those in it, by name."""
    return sorted(path.rglob(pattern)) if path.is_dir() else [path]


@contextmanager
def _opened(path: Path) -> Iterator[Any]:
    try:
        import lmdb
    except ImportError as error:
        raise DependencyError("lmdb", "data", f"reading {path.name}") from error
    try:
        with lmdb.open(
            str(path), subdir=False, readonly=True, lock=False, readahead=False, meminit=False
        ) as environment:
            _require_whole(environment, path)
            with environment.begin() as transaction:
                yield transaction
    except lmdb.Error as error:
        raise DatasetError(f"{path}: it is no LMDB file ({error}): fetch it again") from error


def _require_whole(environment: Any, path: Path) -> None:
    """A truncated file would kill the process: LMDB reads it as memory."""
    needed = (environment.info()["last_pgno"] + 1) * environment.stat()["psize"]
    size = path.stat().st_size
    if size < needed:
        raise DatasetError(f"{path}: it has {size} of its {needed} bytes: fetch it again")


def _ids(transaction: Any, path: Path) -> list[int]:
    count = transaction.get(b"nextid")
    if count is None:
        raise DatasetError(
            f"{path}: it has no 'nextid': it is an LMDB file, and no ASE database "
            "(fairchem's older .lmdb files hold pickled objects, which are not read)"
        )
    deleted = transaction.get(b"deleted_ids")
    gone = set() if deleted is None else set(_content(deleted, "deleted_ids", path))
    return [
        number for number in range(1, int(_content(count, "nextid", path))) if number not in gone
    ]


def _content(blob: bytes, what: str, path: Path) -> Any:
    try:
        return decode(zlib.decompress(blob).decode())
    except (zlib.error, ValueError) as error:
        raise DatasetError(f"{path}, {what}: damaged ({error}): fetch it again") from error


def _structure(source: Source, transaction: Any, number: int, path: Path) -> Atoms:
    where = f"{path.name}, row {number}"
    blob = transaction.get(str(number).encode())
    if blob is None:
        raise DatasetError(f"{path}: row {number} is missing")
    row = _content(bytes(blob), f"row {number}", path)
    for key in ("numbers", "positions"):
        if key not in row:
            raise DatasetError(f"{path}: row {number} has no {key}")
    stress = row.get("stress")
    if stress is not None:
        stress = np.asarray(stress, dtype=float)
        if stress.size == 9:
            matrix = stress.reshape(3, 3)
            stress = np.array([matrix[index] for index in _VOIGT])
    return labelled(
        source,
        row["numbers"],
        row["positions"],
        row.get("energy"),
        row.get("forces"),
        stress=stress,
        cell=row.get("cell"),
        pbc=row.get("pbc", False),
        where=where,
        info=_info(row),
    )


def _info(row: dict[str, Any]) -> dict[str, Any]:
    found = dict(row.get("key_value_pairs") or {})
    data = row.get("data")
    if isinstance(data, str):  # ASE may keep it as JSON within JSON
        data = decode(data)
    if isinstance(data, dict):
        found |= {key: value for key, value in data.items() if key in _KEPT}
        found |= data.get("__info__") or {}
    return {key: found[key] for key in _KEPT if found.get(key) is not None}
