"""Calculators with planted faults."""

from __future__ import annotations

from typing import Any

import numpy as np
from ase.calculators.calculator import Calculator, all_changes


class Jagged(Calculator):
    """Another calculator's energy and forces, with a ripple in the energy or in the forces."""

    implemented_properties = ["energy", "forces"]  # noqa: RUF012

    def __init__(self, base: Calculator, energy: float = 0.0, force: float = 0.0) -> None:
        super().__init__()
        self.base, self.energy, self.force = base, energy, force

    def calculate(self, atoms: Any = None, properties: Any = None, system_changes: Any = None):
        super().calculate(atoms, properties or ["energy"], system_changes or all_changes)
        places = self.atoms.positions
        offset = np.arange(places.size).reshape(places.shape)
        phase = places * [3001.0, 3511.0, 4003.0] + offset  # wavelengths of about 0.002 Å
        self.results = {
            "energy": self.base.get_potential_energy(self.atoms)
            + self.energy * np.sin(phase).sum(),
            "forces": self.base.get_forces(self.atoms) + self.force * np.sin(phase),
        }


class Broken(Calculator):
    """Not a number beyond x = ``edge``."""

    implemented_properties = ["energy", "forces"]  # noqa: RUF012

    def __init__(self, edge: float) -> None:
        super().__init__()
        self.edge = edge

    def calculate(self, atoms: Any = None, properties: Any = None, system_changes: Any = None):
        super().calculate(atoms, properties or ["energy"], system_changes or all_changes)
        bad = self.atoms.positions[:, 0].max() > self.edge
        value = np.nan if bad else 1.0
        self.results = {"energy": value, "forces": np.full((len(self.atoms), 3), value)}
