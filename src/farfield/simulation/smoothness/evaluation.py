"""Energies and forces of a calculator along given positions."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from ase import Atoms
from ase.calculators.calculator import Calculator

from farfield.errors import ModelError
from farfield.structures import describe

Floats = npt.NDArray[np.float64]


def bare(atoms: Atoms, calculator: Calculator) -> Atoms:
    """Return a copy without constraints, which hide forces, that uses ``calculator``."""
    copy: Atoms = atoms.copy()
    copy.set_constraint()
    copy.calc = calculator
    return copy


def evaluate(atoms: Atoms, positions: Floats, calculator: Calculator) -> tuple[Floats, Floats]:
    """Return energies (P,) in eV and forces (P, N, 3) in eV/Å at ``positions`` (P, N, 3) in Å.

    Raises
    ------
    ModelError
        An energy or force is not finite.
    """
    moving = bare(atoms, calculator)
    energies = np.empty(len(positions))
    forces = np.empty_like(positions, dtype=float)
    for index, places in enumerate(positions):
        moving.positions = places
        forces[index] = moving.get_forces()
        energies[index] = moving.get_potential_energy()
        if not (np.isfinite(energies[index]) and np.isfinite(forces[index]).all()):
            raise ModelError(
                f"the energy or force at point {index} of {len(positions)} around "
                f"{describe(atoms)} is not finite: scan a smaller range"
            )
    return energies, forces
