"""Do the forces of a model follow from its energy? What integrates other forces must say so."""

from __future__ import annotations

import numpy as np
from ase import Atoms
from ase.calculators.calculator import Calculator

from farfield.potentials import BlackBoxPotential, Potential
from farfield.structures import describe

STEP = 0.02  # Å, along the force; large enough for energies in float32
RATTLE = 0.05  # Å: at a minimum there is no force to compare
TOLERANCE = 0.1
CONSEQUENCE = "the total energy will not be conserved"
SEED = 0


def inconsistency(calculator: Calculator, atoms: Atoms) -> float:
    """How much the energy's slope along the force differs from the force, as a share of it.

    Three evaluations of a copy whose atoms are displaced a little: 0 for forces that are minus
    the gradient of the energy, 1 where the energy does not follow the forces at all.
    """
    moved = atoms.copy()
    moved.positions += np.random.default_rng(SEED).normal(0.0, RATTLE, (len(atoms), 3))
    moved.calc = calculator
    forces = moved.get_forces()
    size = float(np.linalg.norm(forces))
    if size == 0.0:
        return 0.0
    origin, step = moved.positions.copy(), STEP * forces / size
    moved.positions = origin + step
    forward = moved.get_potential_energy()
    moved.positions = origin - step
    back = moved.get_potential_energy()
    return float(abs(1.0 + (forward - back) / (2.0 * STEP * size)))


def consistency_warnings(potential: Potential, start: Atoms, head: str | None = None) -> list[str]:
    """What a run must say of forces that are not the gradient of the energy, in a sentence.

    An adapter is believed, since contract tests hold it to what it declares. Of an ASE calculator
    nothing is known: it is measured at the start of a simulation.
    """
    if not potential.conservative:
        return [
            f"{potential.name} predicts forces directly, not as the gradient of its energy: "
            f"{CONSEQUENCE}"
        ]
    if not isinstance(potential, BlackBoxPotential):
        return []
    try:
        found = inconsistency(potential.calculator(head), start)
    except Exception:  # noqa: BLE001 - calculators raise any type; the run itself will say so
        return []
    if not found > TOLERANCE:
        return []
    return [
        f"the forces of {potential.name} do not follow from its energy: the slope of the energy of "
        f"{describe(start)} differs from them by {100 * found:.0f} %: {CONSEQUENCE}"
    ]
