"""Methane held by springs, as cheap as a model can be, and faults to plant in it."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from typing import ClassVar

import numpy as np
from ase import Atoms
from ase.build import molecule
from ase.calculators.calculator import Calculator, all_changes

from farfield.potentials import Potential, Prediction
from farfield.potentials.calculator import PotentialCalculator

STIFFNESS = 20.0  # eV/Å²
START = molecule("CH4")
BAD = 1  # of several simulations, the one in which a fault is planted
PAUSE = "FARFIELD_TEST_PAUSE"  # s in each call, so that a run can be killed

Fault = Callable[[int, int, Atoms, Prediction], Prediction]


def lengths(positions: np.ndarray) -> np.ndarray:
    return np.linalg.norm(positions[:, None] - positions[None], axis=-1)


REST = lengths(START.positions)


def springs(atoms: Atoms, loose: int | None = None, stiffness: float = STIFFNESS) -> Prediction:
    """½ k (r - r0)² of all pairs, but for those of the atom ``loose``."""
    between = atoms.positions[:, None] - atoms.positions[None]
    length = lengths(atoms.positions) + np.eye(len(atoms))
    stretch = length - np.eye(len(atoms)) - REST
    if loose is not None:
        stretch[loose] = stretch[:, loose] = 0.0
    forces = -stiffness * ((stretch / length)[..., None] * between).sum(axis=1)
    return Prediction(0.25 * stiffness * float((stretch**2).sum()), forces)


def healthy(step: int, place: int, atoms: Atoms, found: Prediction) -> Prediction:
    return found


class Planted(Potential):
    """Springs, changed by a fault that knows the step; it answers batches."""

    capabilities = frozenset()
    cutoff_modes = frozenset()
    conservative = True
    name = "springs"
    cutoff = None
    species = None
    heads = ("main",)

    def __init__(self, fault: Fault = healthy) -> None:
        self.fault = fault
        self.sizes: list[int] = []  # of the batches

    def graph(self, atoms):
        raise NotImplementedError

    def with_cutoff(self, cutoff, mode):
        raise NotImplementedError

    def predict(self, structures: Sequence[Atoms], head: str | None = None) -> list[Prediction]:
        step = len(self.sizes)
        self.sizes.append(len(structures))
        places = list(range(self.sizes[0]))
        if len(structures) < len(places):
            places.remove(BAD)  # it failed, and the others go on
        return [
            self.fault(step, place, atoms, springs(atoms))
            for place, atoms in zip(places, structures, strict=False)
        ]

    def calculator(self, head=None) -> Calculator:
        return PotentialCalculator(self, head)


class Springs(Calculator):
    """The same as an ASE calculator, which the command line can name."""

    implemented_properties: ClassVar[list[str]] = ["energy", "forces"]
    stiffness = STIFFNESS

    def calculate(self, atoms=None, properties=None, system_changes=all_changes):
        super().calculate(atoms, properties, system_changes)
        time.sleep(float(os.environ.get(PAUSE, "0")))
        found = springs(self.atoms, stiffness=self.stiffness)
        self.results = {"energy": found.energy, "forces": found.forces}


class Soft(Springs):
    stiffness = 10.0
