"""A frame as it was, for the case that a later one fails; it is kept at every step."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import final

import numpy as np

from farfield.simulation.checks import Frame
from farfield.simulation.checks.contract import Floats


@final
@dataclass(frozen=True)
class Kept:
    """What changes from step to step; copying all of the atoms takes fifty times as long.

    Attributes
    ----------
    frame
        The frame, whose atoms have moved on.
    positions, momenta, cell
        As they were: shapes (N, 3), (N, 3) and (3, 3).
    """

    frame: Frame
    positions: Floats
    momenta: Floats
    cell: Floats

    @classmethod
    def of(cls, frame: Frame) -> Kept:
        """Keep a frame."""
        atoms = frame.atoms
        return cls(
            replace(frame, forces=np.array(frame.forces)),
            atoms.positions.copy(),
            atoms.arrays["momenta"].copy(),
            np.array(atoms.cell),
        )

    def again(self) -> Frame:
        """The frame as it was."""
        atoms = self.frame.atoms.copy()
        atoms.set_cell(self.cell)
        atoms.positions = self.positions
        atoms.arrays["momenta"] = self.momenta
        return replace(self.frame, atoms=atoms)
