"""Does the total energy of an NVE simulation drift?"""

from __future__ import annotations

import math
from typing import Any, final

from farfield.simulation.checks.contract import Check, Finding, Frame

CLEAR = 4.0  # times the scatter about the line: less is noise


@final
class Drift(Check):
    """Fires when the least-squares slope of the total energy is too steep.

    The slope is that of all looks so far. It counts once the change along it is larger than
    four times the scatter about it.

    Parameters
    ----------
    limit
        Largest slope, eV per atom and ps.
    after
        Time before the first judgement, fs.
    stride
        Steps between looks.
    """

    name = "drift"

    def __init__(self, limit: float, after: float, stride: int) -> None:
        self.stride = stride
        self._limit = limit
        self._after = after
        self._start = 0.0
        self._since = 0.0  # fs
        self._sums = [0.0] * 6  # of 1, t, e, tt, te, ee
        self._slope = 0.0

    def begin(self, frame: Frame) -> None:
        self._start = frame.energy + frame.kinetic_energy
        self._since = frame.time
        self._sums = [0.0] * 6

    def refined(self, frame: Frame) -> None:
        self.begin(frame)

    def look(self, frame: Frame) -> Finding | None:
        time = 1e-3 * (frame.time - self._since)  # ps
        energy = (frame.energy + frame.kinetic_energy - self._start) / len(frame.atoms)
        added = (1.0, time, energy, time * time, time * energy, energy * energy)
        self._sums = [old + new for old, new in zip(self._sums, added, strict=True)]
        count, t, e, tt, te, ee = self._sums
        spread = tt - t * t / count
        if spread <= 0.0:
            return None
        self._slope = (te - t * e / count) / spread
        scatter = math.sqrt(max(ee - e * e / count - self._slope**2 * spread, 0.0) / count)
        if frame.time - self._since < self._after or abs(self._slope) <= self._limit:
            return None
        if abs(self._slope) * time <= CLEAR * scatter:
            return None
        return Finding(
            f"the total energy drifts by {self._slope:.3g} eV per atom and ps, beyond "
            f"{self._limit:g}",
            value=self._slope,
            limit=self._limit,
        )

    def state(self) -> dict[str, Any]:
        return {key: getattr(self, f"_{key}") for key in ("start", "since", "sums", "slope")}

    def restore(self, state: dict[str, Any]) -> None:
        self._start, self._since = state["start"], state["since"]
        self._slope = state["slope"]
        self._sums = list(state["sums"])

    def figures(self) -> dict[str, float]:
        return {"energy_drift_eV_per_atom_ps": self._slope}
