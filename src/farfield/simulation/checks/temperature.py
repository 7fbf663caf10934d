"""Has the temperature run away from that of the thermostat, or of the start?"""

from __future__ import annotations

from typing import Any, final

import numpy as np
from scipy.stats import chi2

from farfield.simulation.checks.contract import Check, Finding, Frame

CHANCE = 1e-9  # of a kinetic energy so large in one look at a canonical ensemble
AT_ONCE = 4.0  # times the limit: no window is waited for


@final
class Temperature(Check):
    """Fires when the mean temperature over a window of looks is a multiple of the wanted one.

    The strain of a starting structure becomes heat for a while, which a thermostat takes away:
    that is no runaway. Four times the limit in one look is. Few atoms fluctuate more: the limit
    is never below what one look in 10⁹ at a canonical ensemble of as many atoms would see.

    Parameters
    ----------
    temperature
        The wanted one, K.
    factor
        Largest temperature in units of it.
    window
        Looks in a window.
    stride
        Steps between looks.
    """

    name = "temperature"

    def __init__(self, temperature: float, factor: float, window: int, stride: int) -> None:
        self.stride = stride
        self._wanted = temperature
        self._factor = factor
        self._window = window
        self._limit = temperature * factor
        self._largest = 0.0
        self._recent: list[float] = []

    def begin(self, frame: Frame) -> None:
        freedom = 3 * len(frame.atoms)
        chance = float(chi2.isf(CHANCE, freedom)) / freedom
        self._limit = self._wanted * max(self._factor, chance)

    def look(self, frame: Frame) -> Finding | None:
        now = frame.temperature
        self._largest = max(self._largest, now)
        self._recent = [*self._recent, now][-self._window :]
        mean = float(np.mean(self._recent))
        if now > AT_ONCE * self._limit:
            found, limit, what = now, AT_ONCE * self._limit, "temperature"
        elif len(self._recent) == self._window and mean > self._limit:
            found, limit, what = mean, self._limit, "mean temperature"
        else:
            return None
        return Finding(
            f"the {what} is {found:.0f} K, beyond {limit:.0f} K ({self._wanted:g} K are wanted)",
            value=found,
            limit=limit,
        )

    def state(self) -> dict[str, Any]:
        return {"largest": self._largest, "recent": self._recent}

    def restore(self, state: dict[str, Any]) -> None:
        self._largest, self._recent = state["largest"], list(state["recent"])

    def figures(self) -> dict[str, float]:
        return {"largest_temperature_K": self._largest}
