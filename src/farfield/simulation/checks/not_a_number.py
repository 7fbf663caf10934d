"""Is every energy, force, position and momentum a finite number?"""

from __future__ import annotations

from typing import final

import numpy as np

from farfield.simulation.checks.contract import Check, Finding, Frame


@final
class NotANumber(Check):
    """Fires when anything that drives the dynamics is not finite; it looks at every step."""

    name = "not_a_number"
    stride = 1

    def look(self, frame: Frame) -> Finding | None:
        values = {
            "force": frame.forces,
            "position": frame.atoms.positions,
            "momentum": frame.atoms.arrays["momenta"],
        }
        for what, array in values.items():
            if not np.isfinite(array.sum()):  # NaN and infinity survive a sum; cheap
                bad = np.flatnonzero(~np.isfinite(array).all(axis=1))
                if len(bad):
                    indices = tuple(int(index) for index in bad)
                    return Finding(f"the {what} of atom {indices[0]} is not a number", indices)
        if not np.isfinite(frame.energy):
            return Finding("the energy is not a number")
        return None
