"""The files of one simulation, written as it goes and cut back when it is continued."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO, final

from ase import Atoms, units
from ase.io import write as ase_write

from farfield.errors import ConfigError
from farfield.simulation.checks import Frame
from farfield.structures import Labels, attach

TRAJECTORY, THERMODYNAMICS, FAILURE = "trajectory.extxyz", "thermodynamics.csv", "failure.extxyz"
COLUMNS = (
    "step",
    "time_fs",
    "potential_energy_eV",
    "kinetic_energy_eV",
    "total_energy_eV",
    "temperature_K",
)
PRESSURE = ("pressure_GPa", "volume_A3")


@final
class SimulationFiles:
    """Trajectory and thermodynamics of one simulation.

    Parameters
    ----------
    folder
        Where they are.
    model
        Name of the model: the level of theory of the frames.
    pressure
        Whether pressure and volume are written.
    sizes
        Sizes to cut the files back to, bytes, in the order of :meth:`sync`; None begins anew.
    failed
        Whether the simulation has failed: then the frames of the failure stay.
    """

    def __init__(
        self,
        folder: Path,
        model: str,
        *,
        pressure: bool,
        sizes: Sequence[int] | None,
        failed: bool,
    ) -> None:
        self._folder = folder
        self._model = model
        self._pressure = pressure
        folder.mkdir(parents=True, exist_ok=True)
        if not failed:
            (folder / FAILURE).unlink(missing_ok=True)
        names = (TRAJECTORY, THERMODYNAMICS)
        if sizes is None:
            self._handles: list[BinaryIO] = [(folder / name).open("wb") for name in names]
            self._row(COLUMNS + PRESSURE if pressure else COLUMNS)
        else:
            self._handles = [
                _cut(folder / name, size) for name, size in zip(names, sizes, strict=True)
            ]

    def add(self, frame: Frame) -> None:
        """Write one frame and one row."""
        self._handles[0].write(_extxyz([self._labelled(frame)]))
        kinetic = frame.kinetic_energy
        row = [
            frame.step,
            f"{frame.time:.10g}",
            f"{frame.energy:.8f}",
            f"{kinetic:.8f}",
            f"{frame.energy + kinetic:.8f}",
            f"{frame.temperature:.4f}",
        ]
        if self._pressure:
            stress = frame.atoms.get_stress(include_ideal_gas=True)
            row += [f"{-stress[:3].mean() / units.GPa:.6f}", f"{frame.atoms.get_volume():.6f}"]
        self._row(row)

    def fail(self, before: Frame, after: Frame) -> None:
        """Write the frames before and after a failure; they are no part of the trajectory."""
        frames = [self._labelled(before), self._labelled(after)]
        (self._folder / FAILURE).write_bytes(_extxyz(frames))

    def sync(self) -> list[int]:
        """Bring all that was written to the disk; return the sizes, bytes."""
        for handle in self._handles:
            handle.flush()
            os.fsync(handle.fileno())
        return [handle.tell() for handle in self._handles]

    def close(self) -> None:
        """Close the files."""
        for handle in self._handles:
            handle.close()

    def _row(self, values: Sequence[object]) -> None:
        text = io.StringIO()
        csv.writer(text, lineterminator="\n").writerow(values)
        self._handles[1].write(text.getvalue().encode())

    def _labelled(self, frame: Frame) -> Atoms:
        atoms: Atoms = frame.atoms.copy()
        attach(atoms, Labels(frame.energy, frame.forces, None, self._model), "farfield")
        atoms.info |= {"farfield_step": frame.step, "farfield_time_fs": frame.time}
        return atoms


def _extxyz(frames: list[Atoms]) -> bytes:
    text = io.StringIO()
    ase_write(text, frames, format="extxyz", write_results=False)
    return text.getvalue().encode()


def _cut(path: Path, size: int) -> BinaryIO:
    if not path.exists() or path.stat().st_size < size:
        raise ConfigError(
            f"{path}: missing, or shorter than when the checkpoint was written: remove the "
            "folder of this simulation to start anew"
        )
    handle = path.open("r+b")
    handle.truncate(size)
    handle.seek(size)
    return handle
