"""The frames of one simulation as HDF5, in the layout H5MD: one chunked array per quantity.

The file is written in HDF5's mode for a single writer and many readers. In it what was
flushed stays readable, whenever the program is killed, and while it runs.
"""

from __future__ import annotations

import os
from importlib.metadata import version
from pathlib import Path
from typing import Any, final

import numpy as np
from ase import Atoms, units

from farfield.errors import StructureError
from farfield.files import atomic
from farfield.simulation.trajectory import shortened
from farfield.structures import h5md

WAITING = 32  # frames that are written at once
CHUNK = 65536  # bytes, about


@final
class Hdf5Trajectory:
    """Frames as they come, in one HDF5 file.

    Parameters
    ----------
    path
        The file.
    model
        Name of the model: the level of theory of the frames.
    count
        How many frames of it to keep; None begins anew.
    """

    def __init__(self, path: Path, model: str, count: int | None) -> None:
        self._h5py = h5md.h5py_for("a trajectory in HDF5")
        self._path = path
        self._model = model
        self._waiting: list[Atoms] = []
        self._handle: Any = None
        self._count = count or 0
        if count is None:
            path.unlink(missing_ok=True)
        elif count:
            self._cut()

    def add(self, atoms: Atoms) -> None:
        """Write one frame, now or with those that follow."""
        self._waiting.append(atoms)
        if len(self._waiting) == WAITING:
            self._write()

    def sync(self) -> int:
        """Bring all that was written to the disk; return how many frames there are."""
        self._write()
        if self._handle is not None:
            self._handle.flush()
            os.fsync(self._handle.id.get_vfd_handle())
        return self._count

    def close(self) -> None:
        """Write what is left, and close the file."""
        self._write()
        if self._handle is not None:
            self._handle.close()

    def _write(self) -> None:
        if not self._waiting:
            return
        if self._handle is None:
            self._create(self._path, self._waiting[0])
            self._open()
        start, end = self._count, self._count + len(self._waiting)
        for name, values in _rows(self._waiting).items():
            self._handle[name].resize(end, axis=0)
            self._handle[name][start:end] = values
        self._count, self._waiting = end, []

    def _open(self) -> None:
        self._handle = self._h5py.File(self._path, "r+", libver="latest")
        self._handle.swmr_mode = True

    def _create(self, path: Path, atoms: Atoms) -> None:
        with self._h5py.File(path, "w", libver="latest") as handle:
            about = handle.create_group("h5md")
            about.attrs["version"] = np.array([1, 1])
            about.create_group("author").attrs["name"] = ""
            about.create_group("creator").attrs["name"] = h5md.CREATOR
            about["creator"].attrs["version"] = version("farfield")
            particles = handle.create_group(h5md.PARTICLES)
            particles["species"] = atoms.numbers
            particles["mass"] = atoms.get_masses()
            particles["mass"].attrs["unit"] = h5md.MASS_UNIT
            box = particles.create_group("box")
            box.attrs["dimension"] = 3
            box.attrs["boundary"] = ["periodic" if axis else "none" for axis in atoms.pbc]
            described = handle.create_group("parameters")
            for key in ("charge", "spin"):
                if key in atoms.info:
                    described.attrs[key] = atoms.info[key]
            for name, values in _rows([atoms]).items():
                shape, size = values.shape[1:], max(1, values[0].nbytes)
                dataset = handle.create_dataset(
                    name,
                    (0, *shape),
                    values.dtype,
                    maxshape=(None, *shape),
                    chunks=(max(1, CHUNK // size), *shape),
                )
                if h5md.DATASETS[name]:
                    dataset.attrs["unit"] = h5md.DATASETS[name]
            for name in h5md.ELEMENTS:
                for key in ("step", "time"):  # one of each for all
                    if f"{name}/{key}" not in handle:
                        handle[f"{name}/{key}"] = handle[f"{h5md.POSITIONS}/{key}"]
            handle[h5md.ENERGY].attrs["level_of_theory"] = self._model

    def _cut(self) -> None:
        """Keep the first frames of what is there; after a kill they are copied out of it."""
        if not self._path.exists():
            raise shortened(self._path)
        try:
            with self._h5py.File(self._path, "r+", libver="latest") as handle:
                self._require(handle)
                for name in h5md.DATASETS:
                    handle[name].resize(self._count, axis=0)
        except OSError:  # it was not closed
            self._rescue()
        self._open()

    def _rescue(self) -> None:
        with atomic(self._path) as partial:
            try:
                self._copy(partial)
            except (OSError, RuntimeError, KeyError, StructureError) as error:
                raise shortened(self._path) from error

    def _copy(self, target: Path) -> None:
        first = h5md.read_h5md(self._path, last=1)[0]
        self._create(target, first)
        with (
            h5md.opened(self._h5py, self._path) as old,
            self._h5py.File(target, "r+", libver="latest") as new,
        ):
            self._require(old)
            for name in h5md.DATASETS:
                new[name].resize(self._count, axis=0)
                for start in range(0, self._count, rows := old[name].chunks[0]):
                    end = min(start + rows, self._count)
                    new[name][start:end] = old[name][start:end]

    def _require(self, handle: Any) -> None:
        if any(len(handle[name]) < self._count for name in h5md.DATASETS):
            raise shortened(self._path)


def _rows(frames: list[Atoms]) -> dict[str, Any]:
    """What each dataset holds of these frames."""
    values = {
        h5md.POSITIONS: [atoms.positions for atoms in frames],
        h5md.VELOCITIES: [atoms.get_velocities() * units.fs for atoms in frames],
        h5md.FORCES: [atoms.arrays["farfield_forces"] for atoms in frames],
        h5md.CELL: [np.asarray(atoms.cell) for atoms in frames],
        h5md.ENERGY: [atoms.info["farfield_energy"] for atoms in frames],
        h5md.SEGMENT: [atoms.info["farfield_segment"] for atoms in frames],
    }
    found = {f"{name}/value": np.array(value) for name, value in values.items()}
    found[h5md.STEP] = np.array([atoms.info["farfield_step"] for atoms in frames])
    found[h5md.TIME] = np.array([atoms.info["farfield_time_fs"] for atoms in frames])
    return found
