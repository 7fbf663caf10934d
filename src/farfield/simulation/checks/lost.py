"""Has an atom been flung away from all others?"""

from __future__ import annotations

from typing import final

import numpy as np
import numpy.typing as npt
from ase import Atoms

from farfield.graphs import neighbour_graph
from farfield.simulation.checks.contract import Check, Finding, Frame
from farfield.simulation.checks.radii import named


@final
class Lost(Check):
    """Fires when an atom that had others near it at the start has none, images included.

    Parameters
    ----------
    distance
        How far the others must be, Å.
    stride
        Steps between looks.
    """

    name = "lost"

    def __init__(self, distance: float, stride: int) -> None:
        self.stride = stride
        self._distance = distance
        self._alone: npt.NDArray[np.bool_] = np.zeros(0, dtype=bool)

    def begin(self, frame: Frame) -> None:
        self._alone = self._lonely(frame.atoms)

    def look(self, frame: Frame) -> Finding | None:
        lost = np.flatnonzero(self._lonely(frame.atoms) & ~self._alone)
        if not len(lost):
            return None
        indices = tuple(int(index) for index in lost)
        return Finding(
            f"{named(frame.atoms, indices[0])} is more than {self._distance:g} Å away from all "
            "other atoms",
            indices,
            limit=self._distance,
        )

    def _lonely(self, atoms: Atoms) -> npt.NDArray[np.bool_]:
        lonely = np.ones(len(atoms), dtype=bool)
        lonely[neighbour_graph(atoms, self._distance).senders] = False
        return lonely
