"""Displaced copies of structures, strained about as a simulation would strain them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from ase import Atoms
from ase.data import covalent_radii
from ase.neighborlist import neighbor_list
from scipy.sparse import csc_matrix, diags, identity
from scipy.sparse.linalg import splu

Floats = npt.NDArray[np.float64]

RANGE = 3.0  # Å, of the springs
BOND = 40.0  # eV/Å², of two atoms at the sum of their covalent radii
DECAY = 4.0  # of a spring, per sum of covalent radii
TETHER = 1.0  # eV/Å², of each atom to its place


def displaced(structures: Sequence[Atoms], copies: int, rms: float, seed: int) -> list[Atoms]:
    """Copies with random displacements of ``rms`` (Å, root mean square over the atoms).

    Displacements are drawn as if springs held neighbouring atoms together, stiff ones at
    bond lengths and weak ones beyond: bonds change less than angles, and angles less than
    torsions, as they do in a simulation. With independent displacements of the atoms nearly
    all the strain would be in the bonds.
    """
    random = np.random.default_rng(seed)
    found = []
    for atoms in structures:
        for drawn in _drawn(atoms, copies, random):
            copy = atoms.copy()
            copy.positions += drawn * (rms / np.sqrt(np.mean(np.sum(drawn**2, axis=1))))
            found.append(copy)
    return found


def _drawn(atoms: Atoms, count: int, random: np.random.Generator) -> Floats:
    """Displacements from the distribution exp(-x·H·x / 2), shape (count, N, 3).

    H = BᵀKB + T, with springs K along the pairs of atoms and tethers T, is the covariance of
    BᵀK^(1/2) a + T^(1/2) b for standard normal a and b; so H⁻¹ of that has the covariance H⁻¹.
    """
    pairs, strengths = _springs(atoms)  # (P, 3N), (P,)
    size = pairs.shape[1]
    stiffness = pairs.T @ diags(strengths) @ pairs + TETHER * identity(size)
    loads = pairs.T @ (np.sqrt(strengths)[:, None] * random.normal(size=(len(strengths), count)))
    loads += np.sqrt(TETHER) * random.normal(size=(size, count))
    found: Floats = splu(csc_matrix(stiffness)).solve(loads).T.reshape(count, -1, 3)
    return found


def _springs(atoms: Atoms) -> tuple[csc_matrix, Floats]:
    """Stretch of each spring per displacement, shape (P, 3N), and strengths (P,), eV/Å²."""
    i, j, vector, distance = neighbor_list("ijDd", atoms, RANGE)
    once = i < j
    i, j, distance = i[once], j[once], distance[once]
    unit = vector[once] / distance[:, None]
    radii = covalent_radii[atoms.numbers]
    strengths = BOND * np.exp(-DECAY * (distance / (radii[i] + radii[j]) - 1.0))
    rows = np.repeat(np.arange(len(i)), 6)
    columns = np.stack([3 * i, 3 * i + 1, 3 * i + 2, 3 * j, 3 * j + 1, 3 * j + 2], axis=1)
    values = np.concatenate([-unit, unit], axis=1)
    shape = (len(i), 3 * len(atoms))
    return csc_matrix((values.ravel(), (rows, columns.ravel())), shape=shape), strengths
