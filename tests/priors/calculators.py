"""Calculators that the tests name as ``calculators.py:Name``; not a test itself."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import ClassVar, Literal

import numpy as np
from ase.calculators.calculator import Calculator, all_changes

from farfield.priors import Prior

LOG = "FARFIELD_TEST_LOG"
DEADLY = 2.5  # Å; a first bond of this length ends the process


def spring(atoms):
    """(r - 1 Å)² for each pair: energy in eV, forces (N, 3) in eV/Å."""
    between = atoms.positions[:, None] - atoms.positions[None]  # (N, N, 3)
    length = np.linalg.norm(between, axis=-1) + np.eye(len(atoms))  # (N, N), 1 for itself
    stretch = length - 1.0
    forces = -2.0 * ((stretch / length)[..., None] * between).sum(axis=1)
    return 0.5 * float((stretch**2).sum()), forces


class _Spring(Calculator):
    implemented_properties: ClassVar[list[str]] = ["energy", "forces"]

    def calculate(self, atoms=None, properties=None, system_changes=all_changes):
        super().calculate(atoms, properties, system_changes)
        self.act()
        energy, forces = spring(self.atoms)
        self.results = {"energy": energy, "forces": forces}

    def act(self):
        if LOG in os.environ:
            folder = Path(os.environ[LOG])
            folder.mkdir(exist_ok=True)
            with (folder / str(os.getpid())).open("a") as log:  # one file for each process
                log.write(f"{self.atoms.get_distance(0, 1):.6f}\n")


class Spring(_Spring):
    pass


class Slow(_Spring):
    def act(self):
        super().act()
        time.sleep(0.1)


class Deadly(_Spring):
    def act(self):
        super().act()
        if abs(self.atoms.get_distance(0, 1) - DEADLY) < 1e-9:
            os._exit(9)


class Failing(_Spring):
    def act(self):
        super().act()
        if self.atoms.get_distance(0, 1) > 2.0:
            raise RuntimeError("too\nlong")


class Threads(_Spring):
    """Its energy is the number of threads that its process was started with."""

    def calculate(self, atoms=None, properties=None, system_changes=all_changes):
        super().calculate(atoms, properties, system_changes)
        self.results["energy"] = float(os.environ.get("OMP_NUM_THREADS", "nan"))


class NeedsArguments(_Spring):
    def __init__(self, wanted):
        super().__init__()


class SpringPrior(Prior):
    name = "spring"
    elements = frozenset({1})
    periodic = False
    conservative = True
    cost: Literal["cheap", "moderate", "costly"] = "cheap"

    def __init__(self):
        self.level_of_theory = "springs"

    def calculator(self):
        return Spring()


READY = SpringPrior()
NUMBER = 3
