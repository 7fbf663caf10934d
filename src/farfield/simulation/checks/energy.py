"""Has the energy run away from that of the start?"""

from __future__ import annotations

from typing import Any, final

from ase import units

from farfield.simulation.checks.contract import Check, Finding, Frame


@final
class Energy(Check):
    """Fires when the energy per atom is far from the start's, above or below.

    A fall is as wrong as a rise: it is what a hole in the potential energy surface looks
    like. In NVE the total energy is compared, else the potential energy.

    Parameters
    ----------
    temperature
        The wanted one, K.
    factor
        Largest change in units of 3/2 kT per atom.
    floor
        The limit is at least this, eV per atom.
    total
        Whether to compare the total energy.
    stride
        Steps between looks.
    """

    name = "energy"

    def __init__(
        self, temperature: float, factor: float, floor: float, *, total: bool, stride: int
    ) -> None:
        self.stride = stride
        self._limit = max(floor, factor * 1.5 * units.kB * temperature)
        self._total = total
        self._start = 0.0
        self._largest = 0.0

    def begin(self, frame: Frame) -> None:
        self._start = self._energy(frame)

    def refined(self, frame: Frame) -> None:
        self.begin(frame)

    def look(self, frame: Frame) -> Finding | None:
        change = (self._energy(frame) - self._start) / len(frame.atoms)
        if abs(change) > abs(self._largest):
            self._largest = change
        if abs(change) <= self._limit:
            return None
        what = "total" if self._total else "potential"
        return Finding(
            f"the {what} energy is {abs(change):.3g} eV per atom "
            f"{'above' if change > 0 else 'below'} that of the start, beyond {self._limit:.3g}",
            value=change,
            limit=self._limit,
        )

    def _energy(self, frame: Frame) -> float:
        return frame.energy + (frame.kinetic_energy if self._total else 0.0)

    def state(self) -> dict[str, Any]:
        return {"start": self._start, "largest": self._largest}

    def restore(self, state: dict[str, Any]) -> None:
        self._start, self._largest = state["start"], state["largest"]

    def figures(self) -> dict[str, float]:
        return {"largest_energy_change_eV_per_atom": self._largest}
