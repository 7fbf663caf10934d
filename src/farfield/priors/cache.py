"""A cache of labels on disk, addressed by content: what was computed once stays computed."""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from types import TracebackType
from typing import final

import numpy as np
import numpy.typing as npt
from ase import Atoms

from farfield.errors import LabelError
from farfield.files import default_cache_dir as default_cache_dir
from farfield.priors.contract import Failure
from farfield.structures import Labels

FILE_NAME = "labels.sqlite"
VERSION = 1
_APPLICATION = 0x46415246  # "FARF", in the file's header
_BUSY = 60.0  # seconds to wait for another process that writes
_TABLE = """
CREATE TABLE outcomes (
    key TEXT PRIMARY KEY,
    level_of_theory TEXT NOT NULL,
    energy REAL,   -- eV
    forces BLOB,   -- N x 3 little-endian float64, eV/Å
    stress BLOB,   -- 6 little-endian float64, eV/Å³, or NULL
    failure TEXT   -- the reason; NULL for labels
)
"""


def key_of(atoms: Atoms, level_of_theory: str) -> str:
    """Return the SHA-256 of all that decides a label, in hexadecimal.

    That is the level of theory, elements, positions, cell, periodicity, and ``charge`` and
    ``spin`` of ``atoms.info``: to the last bit, but for the sign of zeros.
    """
    parts = (
        level_of_theory.encode(),
        np.asarray(atoms.numbers, dtype="<i8").tobytes(),
        _bytes(atoms.positions + 0.0),  # turns -0.0 into 0.0
        _bytes(np.asarray(atoms.cell) + 0.0),
        np.asarray(atoms.pbc, dtype=bool).tobytes(),
        _number(atoms.info.get("charge")),
        _number(atoms.info.get("spin")),
    )
    digest = hashlib.sha256()
    for part in parts:
        digest.update(len(part).to_bytes(8, "little"))
        digest.update(part)
    return digest.hexdigest()


def open_cache(folder: Path | None) -> AbstractContextManager[LabelCache | None]:
    """Open the cache in a folder; None opens none."""
    return nullcontext() if folder is None else LabelCache(folder)


@final
class LabelCache:
    """Labels and failures in one SQLite file; each is on disk when :meth:`put` returns.

    A run that is killed at any moment loses nothing that it had put, and several runs may
    use one cache at the same time. A power cut may lose the last entries, never more.

    Parameters
    ----------
    folder
        Where ``labels.sqlite`` is, or will be created.

    Raises
    ------
    LabelError
        The file is damaged, is something else, or is of another version.
    """

    def __init__(self, folder: Path | str) -> None:
        self.path = Path(folder) / FILE_NAME
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise LabelError(f"{self.path.parent}: cannot create the cache: {error}") from error
        with self._explained():
            self._database = sqlite3.connect(self.path, timeout=_BUSY, isolation_level=None)
        try:
            with self._explained():
                self._open()
        except BaseException:
            self._database.close()
            raise

    def get(self, key: str) -> Labels | Failure | None:
        """Return what is stored under ``key``, or None."""
        query = "SELECT level_of_theory, energy, forces, stress, failure FROM outcomes WHERE key=?"
        with self._explained():
            row = self._database.execute(query, (key,)).fetchone()
        if row is None:
            return None
        level, energy, forces, stress, failure = row
        if failure is not None:
            return Failure(failure)
        return Labels(
            energy=energy,
            forces=None if forces is None else _array(forces).reshape(-1, 3),
            stress=None if stress is None else _array(stress),
            level_of_theory=level,
        )

    def put(self, key: str, outcome: Labels | Failure, level_of_theory: str) -> None:
        """Store ``outcome`` under ``key``, in place of what was there."""
        values: tuple[float | None, bytes | None, bytes | None, str | None]
        if isinstance(outcome, Failure):
            values = (None, None, None, outcome.reason)
        else:
            forces = None if outcome.forces is None else _bytes(outcome.forces)
            stress = None if outcome.stress is None else _bytes(outcome.stress)
            values = (outcome.energy, forces, stress, None)
        row = (key, level_of_theory, *values)
        with self._explained():
            self._database.execute("INSERT OR REPLACE INTO outcomes VALUES (?,?,?,?,?,?)", row)

    def __len__(self) -> int:
        """Return the number of outcomes, failures included."""
        with self._explained():
            return int(self._database.execute("SELECT count(*) FROM outcomes").fetchone()[0])

    def __enter__(self) -> LabelCache:
        """Return the cache itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close the file."""
        self.close()

    def close(self) -> None:
        """Close the file; nothing can be read or stored after."""
        self._database.close()

    def _open(self) -> None:
        self._database.execute("PRAGMA journal_mode = WAL")
        self._database.execute("PRAGMA synchronous = NORMAL")
        self._database.execute("BEGIN IMMEDIATE")  # two processes may create it at once
        application, version = self._pragma("application_id"), self._pragma("user_version")
        tables = self._database.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
        if (application, version, tables) == (0, 0, 0):
            self._database.execute(_TABLE)
            self._database.execute(f"PRAGMA application_id = {_APPLICATION}")
            self._database.execute(f"PRAGMA user_version = {VERSION}")
        elif application != _APPLICATION:
            raise LabelError(
                f"{self.path} is a database of another program: name another cache folder"
            )
        elif version != VERSION:
            raise LabelError(
                f"{self.path} is a cache of version {version} and this farfield writes version "
                f"{VERSION}: name another cache folder, or delete the file"
            )
        self._database.execute("COMMIT")

    def _pragma(self, name: str) -> int:
        return int(self._database.execute(f"PRAGMA {name}").fetchone()[0])

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.OperationalError as error:
            raise LabelError(f"{self.path}: the cache cannot be used: {error}") from error
        except sqlite3.DatabaseError as error:
            raise LabelError(
                f"{self.path}: the cache is damaged ({error}): delete the file, and its labels "
                "will be computed again"
            ) from error


def _bytes(values: npt.ArrayLike) -> bytes:
    return np.asarray(values, dtype="<f8").tobytes()


def _array(blob: bytes) -> npt.NDArray[np.float64]:
    return np.frombuffer(blob, dtype="<f8").astype(np.float64)


def _number(value: object) -> bytes:
    """1, 1.0 and NumPy's 1 are the same charge; what is no number keeps its own key."""
    if value is None:
        return b""
    try:
        return repr(float(value)).encode()  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return repr(value).encode()
