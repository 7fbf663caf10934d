"""Relaxed geometries and their softest vibrations, from a finite-difference Hessian."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import final

import numpy as np
import numpy.typing as npt
from ase import Atoms
from ase.calculators.calculator import Calculator
from ase.optimize import BFGS
from ase.vibrations import Vibrations

from farfield.errors import ModelError, StructureError
from farfield.simulation.smoothness.evaluation import bare
from farfield.structures import describe

Floats = npt.NDArray[np.float64]


@final
@dataclass(frozen=True)
class Modes:
    """The softest vibrations of a structure of N atoms, softest first.

    Attributes
    ----------
    directions
        Displacements, shape (M, N, 3), each of length 1 over all atoms: a step of s Å along
        one moves the atoms by s Å in all.
    curvatures
        Second derivative of the energy along each, shape (M,), eV/Å²; negative where the
        structure is no minimum.
    """

    directions: Floats
    curvatures: Floats


def relaxed(
    atoms: Atoms, calculator: Calculator, *, largest_force: float = 0.01, steps: int = 500
) -> Atoms:
    """Return a copy of ``atoms``, without calculator, at the nearest minimum of the energy.

    Parameters
    ----------
    atoms
        The structure; its cell stays.
    calculator
        Any ASE calculator, such as ``potential.calculator()``.
    largest_force
        Where to stop, eV/Å.
    steps
        The most steps of ASE's BFGS.

    Raises
    ------
    ModelError
        The forces did not get as small, or the energy or forces stopped being finite.
    """
    moving = bare(atoms, calculator)
    with BFGS(moving, logfile=None) as search:
        for done in search.irun(fmax=largest_force, steps=steps):
            left = float(np.linalg.norm(moving.get_forces(), axis=1).max())
            if done or not np.isfinite(left):
                break
    if not left <= largest_force:
        raise ModelError(
            f"{describe(atoms)} does not relax: after {search.nsteps} steps the largest force is "
            f"{left:.3g} eV/Å, not below {largest_force:g}: start nearer a minimum, or give more "
            "steps"
        )
    moving.calc = None
    return moving


def softest_modes(
    atoms: Atoms, calculator: Calculator, count: int = 2, *, step: float = 0.01
) -> Modes:
    """Return the softest vibrations, translations and rotations removed.

    The Hessian comes from central differences of the forces by ASE (6 N calculations), and
    is weighted by masses. Take the modes of one calculator for the surfaces of all that are
    compared, so that these are cut along the same directions.

    Parameters
    ----------
    atoms
        A structure at a minimum of ``calculator``; see :func:`relaxed`.
    calculator
        Any ASE calculator.
    count
        How many modes.
    step
        Of the finite differences, Å.

    Raises
    ------
    StructureError
        The structure has fewer vibrations.
    ModelError
        The Hessian is not finite.
    """
    moving = bare(atoms, calculator)
    rigid = _rigid_motions(atoms)  # (R, 3N)
    if 3 * len(atoms) - len(rigid) < count:
        raise StructureError(
            f"{describe(atoms)} has {3 * len(atoms) - len(rigid)} vibrations, not {count}"
        )
    with TemporaryDirectory() as folder:
        vibrations = Vibrations(moving, name=str(Path(folder) / "hessian"), delta=step)
        vibrations.run()
        hessian = vibrations.get_vibrations().get_hessian_2d()  # (3N, 3N), eV/Å²
    if not np.isfinite(hessian).all():
        raise ModelError(f"the Hessian of {describe(atoms)} is not finite")
    weights = np.repeat(atoms.get_masses() ** -0.5, 3)  # (3N,), u^-1/2
    vibrating = _complement(rigid / weights)  # (3N, 3N - R), columns orthonormal
    weighted = vibrating.T @ (weights[:, None] * hessian * weights) @ vibrating
    vectors = np.linalg.eigh(weighted)[1]  # columns, softest first
    motions = (weights[:, None] * (vibrating @ vectors)).T[:count]  # (M, 3N)
    motions /= np.linalg.norm(motions, axis=1, keepdims=True)
    motions *= np.sign(motions[np.arange(count), np.abs(motions).argmax(axis=1)])[:, None]
    curvatures = np.einsum("mi,ij,mj->m", motions, hessian, motions)
    return Modes(motions.reshape(count, -1, 3), curvatures)


def _rigid_motions(atoms: Atoms) -> Floats:
    """Return independent motions (R, 3N) that leave the energy alone, to first order."""
    shifts = np.tile(np.eye(3), len(atoms))  # (3, 3N)
    if atoms.pbc.any():
        return shifts
    arms = atoms.positions - atoms.get_center_of_mass()  # (N, 3)
    turns = np.stack([np.cross(axis, arms).ravel() for axis in np.eye(3)])  # (3, 3N)
    motions = np.concatenate([shifts, turns])
    sizes, rows = np.linalg.svd(motions, full_matrices=False)[1:]
    found: Floats = rows[sizes > 1e-4 * sizes[0]]  # five for a straight molecule
    return found


def _complement(rows: Floats) -> Floats:
    """Return an orthonormal basis, as columns, of what is orthogonal to all rows."""
    basis: Floats = np.linalg.svd(rows)[2][len(rows) :].T
    return basis
