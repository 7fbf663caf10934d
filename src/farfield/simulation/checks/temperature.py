"""Has the temperature run away from that of the thermostat, or of the start?"""

from __future__ import annotations

from typing import Any, final

from scipy.stats import chi2

from farfield.simulation.checks.contract import Check, Finding, Frame

CHANCE = 1e-9  # of a kinetic energy so large in one look at a canonical ensemble


@final
class Temperature(Check):
    """Fires above a multiple of the wanted temperature.

    Few atoms fluctuate more: the limit is never below what one look in 10⁹ at a canonical
    ensemble of as many atoms would see.

    Parameters
    ----------
    temperature
        The wanted one, K.
    factor
        Largest temperature in units of it.
    stride
        Steps between looks.
    """

    name = "temperature"

    def __init__(self, temperature: float, factor: float, stride: int) -> None:
        self.stride = stride
        self._wanted = temperature
        self._factor = factor
        self._limit = temperature * factor
        self._largest = 0.0

    def begin(self, frame: Frame) -> None:
        freedom = 3 * len(frame.atoms)
        chance = float(chi2.isf(CHANCE, freedom)) / freedom
        self._limit = self._wanted * max(self._factor, chance)

    def look(self, frame: Frame) -> Finding | None:
        found = frame.temperature
        self._largest = max(self._largest, found)
        if found <= self._limit:
            return None
        return Finding(
            f"the temperature is {found:.0f} K, beyond {self._limit:.0f} K "
            f"({self._wanted:g} K are wanted)",
            value=found,
            limit=self._limit,
        )

    def state(self) -> dict[str, Any]:
        return {"largest": self._largest}

    def restore(self, state: dict[str, Any]) -> None:
        self._largest = state["largest"]

    def figures(self) -> dict[str, float]:
        return {"largest_temperature_K": self._largest}
