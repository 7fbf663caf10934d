"""Has a bond formed that was not there at the start?"""

from __future__ import annotations

from typing import final

import numpy as np

from farfield.simulation.checks.contract import Check, Finding, Frame
from farfield.simulation.checks.radii import named, pairs_within


@final
class BondForming(Check):
    """Fires when two atoms that were apart at the start come within bonding distance.

    Pairs at an unclear distance at the start, bonded or nearly so, are left out.

    Parameters
    ----------
    bonded, near
        A bond forms below ``bonded``, between atoms that were beyond ``near`` at the start; in
        units of the sum of the pair's covalent radii.
    stride
        Steps between looks.
    """

    name = "bond_forming"

    def __init__(self, bonded: float, near: float, stride: int) -> None:
        self.stride = stride
        self._bonded = bonded
        self._near = near
        self._known: set[tuple[int, ...]] = set()

    def begin(self, frame: Frame) -> None:
        self._known = pairs_within(frame.atoms, max(self._near, self._bonded)).keys()

    def look(self, frame: Frame) -> Finding | None:
        found = pairs_within(frame.atoms, self._bonded)
        if len(found.first) == 0 or not found.keys() - self._known:
            return None
        keys = np.column_stack([found.first, found.second, found.shifts]).tolist()
        new = found.only(np.array([tuple(key) not in self._known for key in keys]))
        closest = int(np.argmin(new.ratios))
        first, second = int(new.first[closest]), int(new.second[closest])
        pair = f"{named(frame.atoms, first)} and {named(frame.atoms, second)}"
        return Finding(
            f"{pair}, apart at the start, are bonded: {new.ratios[closest]:.2f} times the sum of "
            f"the covalent radii, below {self._bonded:g}",
            (first, second),
            value=float(new.ratios[closest]),
            limit=self._bonded,
        )
