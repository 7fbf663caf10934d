"""Trajectories in the HDF5 layout H5MD (version 1.1), as ``farfield simulate`` writes them.

Here is where each quantity stands in such a file, and how it becomes structures again.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ase import Atoms, units

from farfield.errors import DependencyError, StructureError
from farfield.structures.labels import UNKNOWN_LEVEL, Labels, attach

SUFFIXES = (".h5", ".h5md", ".hdf5")
CREATOR = "farfield"
PARTICLES, OBSERVABLES = "particles/atoms", "observables/atoms"
POSITIONS, VELOCITIES = f"{PARTICLES}/position", f"{PARTICLES}/velocity"
FORCES, CELL = f"{PARTICLES}/force", f"{PARTICLES}/box/edges"
ENERGY, SEGMENT = f"{OBSERVABLES}/potential_energy", f"{OBSERVABLES}/segment"
ELEMENTS = {
    POSITIONS: "Angstrom",
    VELOCITIES: "Angstrom fs-1",
    FORCES: "eV Angstrom-1",
    CELL: "Angstrom",
    ENERGY: "eV",
    SEGMENT: "",
}
"""Quantities of every frame, with their units."""
STEP, TIME = f"{POSITIONS}/step", f"{POSITIONS}/time"
DATASETS = {f"{name}/value": unit for name, unit in ELEMENTS.items()} | {STEP: "", TIME: "fs"}
MASS_UNIT = "u"


def is_hdf5(path: Path) -> bool:
    """Whether the name says HDF5."""
    return path.suffix.lower() in SUFFIXES


def h5py_for(purpose: str) -> Any:
    """The package h5py.

    Raises
    ------
    DependencyError
        It is not installed.
    """
    try:
        import h5py
    except ImportError as error:
        raise DependencyError("h5py", "data", purpose) from error
    return h5py


def opened(h5py: Any, path: Path) -> Any:
    """The file, open to be read, also while it is written and where a killed run left it so.

    Such a file is marked, and HDF5 opens it in the mode of many readers alone. A truncated one
    is not opened in that mode: HDF5 would wait for the rest of it.
    """
    try:
        return h5py.File(path, "r")
    except OSError as error:
        if "open for write" not in str(error):
            raise
    return h5py.File(path, "r", swmr=True)


def read_h5md(path: Path, last: int | None = None) -> list[Atoms]:
    """Read the frames of a trajectory that farfield wrote, one that is being written too.

    Parameters
    ----------
    path
        The file.
    last
        How many frames from its end; None takes all.

    Raises
    ------
    StructureError
        The file is damaged, has another layout, or was written by another program.
    """
    h5py = h5py_for(f"reading {path.name}")
    try:
        with opened(h5py, path) as handle:
            return _frames(handle, path, last)
    except (OSError, RuntimeError, KeyError) as error:  # h5py raises these for what is damaged
        reason = " ".join(str(error).split())[:200]
        raise StructureError(
            f"{path}: it is no whole trajectory in the layout H5MD ({reason}): give it as extxyz"
        ) from error


def _frames(handle: Any, path: Path, last: int | None) -> list[Atoms]:
    creator = handle["h5md/creator"].attrs["name"] if "h5md/creator" in handle else "an unknown"
    if creator != CREATOR:  # what a species number means is each program's own
        raise StructureError(
            f"{path}: an HDF5 file by {creator} program, not by farfield: convert it to extxyz"
        )
    count = min(len(handle[name]) for name in DATASETS)  # a kill may have come between two
    kept = slice(0 if last is None else max(0, count - last), count)
    arrays = {name: handle[f"{name}/value"][kept] for name in ELEMENTS}
    particles = handle[PARTICLES]
    numbers = particles["species"][:]
    periodic = [value == "periodic" for value in particles["box"].attrs["boundary"].astype(str)]
    described = {key: int(value) for key, value in handle["parameters"].attrs.items()}
    level = str(handle[ENERGY].attrs.get("level_of_theory", UNKNOWN_LEVEL))
    found = []
    for place, (step, time) in enumerate(zip(handle[STEP][kept], handle[TIME][kept], strict=True)):
        atoms = Atoms(numbers, arrays[POSITIONS][place], cell=arrays[CELL][place], pbc=periodic)
        atoms.set_velocities(arrays[VELOCITIES][place] / units.fs)
        labels = Labels(float(arrays[ENERGY][place]), arrays[FORCES][place], None, level)
        attach(atoms, labels, "farfield")
        atoms.info |= {
            **described,
            "farfield_step": int(step),
            "farfield_time_fs": float(time),
            "farfield_segment": int(arrays[SEGMENT][place]),
        }
        found.append(atoms)
    return found
