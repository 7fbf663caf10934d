"""Has a bond of the start been broken?"""

from __future__ import annotations

from typing import final

import numpy as np

from farfield.simulation.checks.contract import Check, Finding, Frame
from farfield.simulation.checks.radii import Pairs, named, pairs_within


@final
class BondBreaking(Check):
    """Fires when two atoms that were bonded at the start are far apart.

    Parameters
    ----------
    bonded, broken
        Limits of the distance, in units of the sum of the pair's covalent radii.
    stride
        Steps between looks.
    """

    name = "bond_breaking"

    def __init__(self, bonded: float, broken: float, stride: int) -> None:
        self.stride = stride
        self._bonded = bonded
        self._broken = broken
        self._bonds: Pairs | None = None

    def begin(self, frame: Frame) -> None:
        self._bonds = pairs_within(frame.atoms, self._bonded)

    def look(self, frame: Frame) -> Finding | None:
        assert self._bonds is not None  # begin was called
        if not len(self._bonds.first):
            return None
        ratios = self._bonds.now(frame.atoms)
        worst = int(np.argmax(ratios))
        if ratios[worst] <= self._broken:
            return None
        first, second = int(self._bonds.first[worst]), int(self._bonds.second[worst])
        pair = f"{named(frame.atoms, first)}-{named(frame.atoms, second)}"
        return Finding(
            f"the bond {pair} is stretched to {ratios[worst]:.2f} times the sum of the covalent "
            f"radii, beyond {self._broken:g}",
            (first, second),
            value=float(ratios[worst]),
            limit=self._broken,
        )
