"""Do two atoms overlap?"""

from __future__ import annotations

from typing import final

import numpy as np

from farfield.simulation.checks.contract import Check, Finding, Frame
from farfield.simulation.checks.radii import named, pairs_within


@final
class Overlap(Check):
    """Fires when two atoms, images included, are closer than any bond.

    Parameters
    ----------
    closest
        Limit of the distance, in units of the sum of the pair's covalent radii.
    stride
        Steps between looks.
    """

    name = "overlap"

    def __init__(self, closest: float, stride: int) -> None:
        self.stride = stride
        self._closest = closest

    def look(self, frame: Frame) -> Finding | None:
        found = pairs_within(frame.atoms, self._closest)
        if not len(found.first):
            return None
        worst = int(np.argmin(found.ratios))
        first, second = int(found.first[worst]), int(found.second[worst])
        return Finding(
            f"{named(frame.atoms, first)} and {named(frame.atoms, second)} overlap: "
            f"{found.ratios[worst]:.2f} times the sum of the covalent radii apart, below "
            f"{self._closest:g}",
            (first, second),
            value=float(found.ratios[worst]),
            limit=self._closest,
        )
