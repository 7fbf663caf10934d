"""Cuts through the potential energy surface: along two directions, and along one bond."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np
import numpy.typing as npt
from ase import Atoms
from ase.calculators.calculator import Calculator
from scipy.interpolate import CubicSpline
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from farfield.errors import ConfigError, StructureError
from farfield.simulation.observables.topology import bonds
from farfield.simulation.smoothness.evaluation import evaluate
from farfield.structures import describe

Floats = npt.NDArray[np.float64]


@final
@dataclass(frozen=True)
class Surface:
    """Energies on a grid along two directions around a structure.

    Attributes
    ----------
    first, second
        Displacements along each direction, shapes (P,) and (P,), Å over all atoms.
    energies
        Relative to the middle of the grid, shape (P, P), eV: ``energies[i, j]`` belongs to
        ``first[i]`` and ``second[j]``.
    """

    first: Floats
    second: Floats
    energies: Floats


@final
@dataclass(frozen=True)
class Scan:
    """A path of P points on the potential energy surface of N atoms.

    Attributes
    ----------
    lengths
        Length of the path up to each point, over all atoms, shape (P,), Å.
    coordinate
        What the scan is labelled with, such as a bond length, shape (P,), Å.
    energies
        Shape (P,), eV.
    forces
        Force along the path, F · dx/ds, shape (P,), eV/Å; minus the slope of the energy if
        the two are consistent.
    """

    lengths: Floats
    coordinate: Floats
    energies: Floats
    forces: Floats


def energy_surface(
    atoms: Atoms,
    directions: Floats,
    calculator: Calculator,
    *,
    reach: float = 0.5,
    points: int = 21,
) -> Surface:
    """Return the energies on a square grid along two directions, ``points``² calculations.

    Parameters
    ----------
    atoms
        The middle of the grid; see :func:`relaxed`.
    directions
        Shape (2, N, 3), such as ``softest_modes(...).directions``.
    calculator
        Any ASE calculator.
    reach
        Half the side of the grid, Å over all atoms.
    points
        Along each side, an odd number.

    Raises
    ------
    ConfigError
        The directions have another shape, or the number of points is even or below 3.
    ModelError
        An energy is not finite.
    """
    if np.shape(directions) != (2, len(atoms), 3):
        raise ConfigError(
            f"energy surface: directions of shape {np.shape(directions)}, and "
            f"{(2, len(atoms), 3)} is needed for {describe(atoms)}"
        )
    if points < 3 or points % 2 == 0:
        raise ConfigError(f"energy surface: {points} points; give an odd number, 3 or more")
    steps = np.linspace(-reach, reach, points)
    grid = np.stack(np.meshgrid(steps, steps, indexing="ij"), axis=-1).reshape(-1, 2)
    places = atoms.positions + np.einsum("pd,dnx->pnx", grid, directions)  # (P², N, 3)
    energies = evaluate(atoms, places, calculator)[0].reshape(points, points)
    middle = points // 2
    return Surface(steps, steps, energies - energies[middle, middle])


def path_scan(atoms: Atoms, positions: Floats, calculator: Calculator) -> Scan:
    """Return energies and forces along a path of positions (P, N, 3), Å; P ≥ 5.

    The direction at each point is that of a smooth curve through the points. Evenly spaced,
    close points give the best figures.

    Raises
    ------
    ConfigError
        Fewer than five points, or two neighbouring ones alike.
    ModelError
        An energy or force is not finite.
    """
    places = np.asarray(positions, dtype=float)
    pieces = np.linalg.norm(np.diff(places, axis=0).reshape(max(0, len(places) - 1), -1), axis=1)
    if len(places) < 5 or not pieces.min() > 0.0:
        raise ConfigError(f"a path of {len(places)} points: give five or more, all different")
    lengths = np.concatenate([[0.0], np.cumsum(pieces)])  # (P,)
    tangents = CubicSpline(lengths, places)(lengths, 1)  # (P, N, 3), Å per Å
    energies, forces = evaluate(atoms, places, calculator)
    return Scan(lengths, lengths, energies, np.einsum("pnx,pnx->p", forces, tangents))


def bond_scan(
    atoms: Atoms,
    bond: tuple[int, int],
    calculator: Calculator,
    *,
    shortest: float = 0.8,
    longest: float = 1.5,
    points: int = 71,
) -> Scan:
    """Return energies and forces while one bond is stretched and all else stays rigid.

    The second atom moves, with all that hangs on it. In a ring, both sides of the bond hang
    together: then it moves alone.

    Parameters
    ----------
    atoms
        A molecule; see :func:`relaxed`.
    bond
        Indices of two atoms that are bonded by their covalent radii.
    calculator
        Any ASE calculator.
    shortest, longest
        In units of the present length.
    points
        Of the scan.

    Raises
    ------
    StructureError
        The atoms are not bonded, or the structure is periodic.
    ConfigError
        The range or the number of points is impossible.
    ModelError
        An energy or force is not finite.
    """
    if not 0.0 < shortest < longest:
        raise ConfigError(f"bond scan from {shortest:g} to {longest:g} of the length")
    still, moved = bond
    side = _side(atoms, still, moved)  # (N,)
    arm = atoms.positions[moved] - atoms.positions[still]  # (3,)
    scales = np.linspace(shortest, longest, points)  # (P,)
    shifts = (scales - 1.0)[:, None, None] * arm  # (P, 1, 3)
    scan = path_scan(atoms, atoms.positions + shifts * side[:, None], calculator)
    return Scan(scan.lengths, scales * float(np.linalg.norm(arm)), scan.energies, scan.forces)


def _side(atoms: Atoms, still: int, moved: int) -> npt.NDArray[np.bool_]:
    """Return which atoms (N,) hang on ``moved`` when its bond to ``still`` is cut."""
    if atoms.pbc.any():
        raise StructureError(f"bond scan: {describe(atoms)} is periodic; scans are of molecules")
    pairs = bonds(atoms).atoms  # (M, 2)
    this = (np.sort(pairs, axis=1) == sorted((still, moved))).all(axis=1)
    if not this.any():
        raise StructureError(
            f"bond scan: atoms {still} and {moved} of {describe(atoms)} are not bonded: "
            "name two atoms that are"
        )
    kept = pairs[~this]
    shape = (len(atoms), len(atoms))
    graph = coo_array((np.ones(len(kept)), (kept[:, 0], kept[:, 1])), shape=shape)
    part = connected_components(graph, directed=False)[1]  # (N,)
    if part[still] == part[moved]:
        part = np.arange(len(atoms))  # a ring: it moves alone
    side: npt.NDArray[np.bool_] = part == part[moved]
    return side
