"""The files of one simulation, written as it goes and cut back when it is continued."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from pathlib import Path
from typing import final

from ase import Atoms, units

from farfield.simulation.checks import Frame
from farfield.simulation.settings import SimulationSettings
from farfield.simulation.trajectory import NAMES, ExtxyzTrajectory, extxyz, opened, synced
from farfield.simulation.trajectory_hdf5 import Hdf5Trajectory
from farfield.structures import Labels, attach

THERMODYNAMICS, FAILURE = "thermodynamics.csv", "failure.extxyz"
COLUMNS = (
    "step",
    "time_fs",
    "potential_energy_eV",
    "kinetic_energy_eV",
    "total_energy_eV",
    "temperature_K",
)
PRESSURE = ("pressure_GPa", "volume_A3")
SEGMENT = ("segment",)


@final
class SimulationFiles:
    """Trajectory and thermodynamics of one simulation.

    Parameters
    ----------
    folder
        Where they are.
    model
        Name of the model: the level of theory of the frames.
    settings
        Format of the trajectory, and which columns there are.
    sizes
        Sizes to cut the files back to, in the order of :meth:`sync`; None begins anew.
    failed
        Whether the simulation has failed: then the frames of the failure stay.
    """

    def __init__(
        self,
        folder: Path,
        model: str,
        settings: SimulationSettings,
        *,
        sizes: Sequence[int] | None,
        failed: bool,
    ) -> None:
        self._folder = folder
        self._model = model
        self._pressure = settings.ensemble == "npt"
        self._segments = settings.refine_every is not None
        folder.mkdir(parents=True, exist_ok=True)
        if not failed:
            (folder / FAILURE).unlink(missing_ok=True)
        path = folder / NAMES[settings.trajectory_format]
        frames, rows = (None, None) if sizes is None else sizes
        self._trajectory: ExtxyzTrajectory | Hdf5Trajectory
        if settings.trajectory_format == "hdf5":
            self._trajectory = Hdf5Trajectory(path, model, frames)
        else:
            self._trajectory = ExtxyzTrajectory(path, frames)
        self._table = opened(folder / THERMODYNAMICS, rows)
        if sizes is None:
            further = PRESSURE if self._pressure else ()
            self._row([*COLUMNS, *further, *(SEGMENT if self._segments else ())])

    def add(self, frame: Frame, segment: int) -> None:
        """Write one frame and one row."""
        self._trajectory.add(self._labelled(frame, segment))
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
        self._row([*row, segment] if self._segments else row)

    def fail(self, before: Frame, after: Frame, segment: int) -> None:
        """Write the frames before and after a failure; they are no part of the trajectory."""
        frames = [self._labelled(before, segment), self._labelled(after, segment)]
        (self._folder / FAILURE).write_bytes(extxyz(frames))

    def sync(self) -> list[int]:
        """Bring all that was written to the disk; return how much each file holds."""
        return [self._trajectory.sync(), synced(self._table)]

    def close(self) -> None:
        """Close the files."""
        self._trajectory.close()
        self._table.close()

    def _row(self, values: Sequence[object]) -> None:
        text = io.StringIO()
        csv.writer(text, lineterminator="\n").writerow(values)
        self._table.write(text.getvalue().encode())

    def _labelled(self, frame: Frame, segment: int) -> Atoms:
        atoms: Atoms = frame.atoms.copy()
        attach(atoms, Labels(frame.energy, frame.forces, None, self._model), "farfield")
        atoms.info |= {
            "farfield_step": frame.step,
            "farfield_time_fs": frame.time,
            "farfield_segment": segment,
        }
        return atoms
