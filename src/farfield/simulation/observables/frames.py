"""Frames of a trajectory as arrays, once they are known to belong together."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt
from ase import Atoms, units

from farfield.errors import ConfigError, StructureError
from farfield.structures import describe

Floats = npt.NDArray[np.float64]

LARGEST_STEP = 0.4
"""Share of a cell vector that an atom may move between two frames and still be followed."""


def frames_of(frames: Iterable[Atoms], least: int, purpose: str) -> list[Atoms]:
    """Return the frames as a list, or refuse a trajectory that is too short or not one.

    Parameters
    ----------
    frames
        The trajectory.
    least
        How many frames are needed.
    purpose
        What they are needed for, for the message.

    Raises
    ------
    StructureError
        Too few frames; elements, their order, or periodicity change; a position is not
        finite; a periodic axis has no cell vector.
    """
    found = list(frames)
    if len(found) < least:
        raise StructureError(
            f"{purpose}: {len(found)} frames, and at least {least} are needed: "
            "simulate longer or write more often"
        )
    first = found[0]
    for index, frame in enumerate(found):
        where = f"{purpose}: frame {index} of {describe(first)}"
        if not np.array_equal(frame.numbers, first.numbers):
            raise StructureError(
                f"{where} has other atoms, or another order of them, than frame 0: "
                "give the frames of one simulation"
            )
        if not np.array_equal(frame.pbc, first.pbc):
            raise StructureError(f"{where} has other periodic axes than frame 0")
        if not np.isfinite(frame.positions).all():
            raise StructureError(
                f"{where} has a position that is not finite: cut the trajectory before it"
            )
        empty = frame.pbc & (frame.cell.lengths() == 0.0)
        if empty.any():
            raise StructureError(
                f"{where} is periodic along axis {int(np.flatnonzero(empty)[0])} but that cell "
                "vector is zero: set the cell (Å), or pbc to False"
            )
    return found


def positive(value: float, name: str, unit: str) -> float:
    """Return ``value``, or refuse it when it is not above zero."""
    if not (np.isfinite(value) and value > 0.0):
        raise ConfigError(f"{name} is {value} {unit}: it must be above zero")
    return float(value)


def velocities(frames: list[Atoms], purpose: str) -> Floats:
    """Return the velocities (T, N, 3) in Å/fs.

    Raises
    ------
    StructureError
        A frame carries no velocities, or one that is not finite.
    """
    for index, frame in enumerate(frames):
        if not frame.has("momenta"):
            raise StructureError(
                f"{purpose}: frame {index} of {describe(frames[0])} has no velocities: "
                "write the trajectory with momenta"
            )
    found: Floats = np.stack([frame.get_velocities() for frame in frames]) * units.fs
    if not np.isfinite(found).all():
        index = int(np.flatnonzero(~np.isfinite(found).all(axis=(1, 2)))[0])
        raise StructureError(
            f"{purpose}: frame {index} of {describe(frames[0])} has a velocity that is not "
            "finite: cut the trajectory before it"
        )
    return found  # (T, N, 3)


def unwrapped(frames: list[Atoms], purpose: str) -> Floats:
    """Return positions (T, N, 3) in Å in which no atom jumps when it crosses the cell's face.

    Atoms are followed in fractional coordinates, so that the cell may change. Frames whose
    positions were never wrapped come back as they are.

    Raises
    ------
    StructureError
        An atom moves by more than 0.4 of a cell vector between two frames.
    """
    places = np.stack([frame.positions for frame in frames])  # (T, N, 3)
    periodic = frames[0].pbc
    if not periodic.any():
        return places
    cells = np.stack([frame.cell.complete().array for frame in frames])  # (T, 3, 3)
    fractional = np.linalg.solve(cells.swapaxes(1, 2), places.swapaxes(1, 2)).swapaxes(1, 2)
    steps = np.diff(fractional, axis=0) * periodic  # (T - 1, N, 3)
    jumps = np.round(steps)
    far = np.abs(steps - jumps) > LARGEST_STEP
    if far.any():
        frame, atom, axis = (int(index) for index in np.argwhere(far)[0])
        raise StructureError(
            f"{purpose}: atom {atom} of {describe(frames[0])} moves by more than {LARGEST_STEP} of "
            f"cell vector {axis} between frames {frame} and {frame + 1}, too far to be followed: "
            "write frames more often"
        )
    fractional[1:] -= np.cumsum(jumps, axis=0)
    followed: Floats = fractional @ cells  # (T, N, 3) @ (T, 3, 3) -> (T, N, 3)
    return followed
