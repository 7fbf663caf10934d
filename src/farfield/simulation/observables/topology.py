"""Chains of bonded atoms in one structure: bonds, bond angles and dihedrals."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from typing import final

import numpy as np
import numpy.typing as npt
from ase import Atoms
from ase.data import covalent_radii
from ase.geometry import get_angles

from farfield.graphs import neighbour_graph

FACTOR = 1.2
"""Atoms nearer than this times the sum of their covalent radii are bonded."""

STRAIGHTEST = 170.0
"""A dihedral about a bond angle beyond this, in degrees, is ill-defined and left out."""

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Image = tuple[int, tuple[int, int, int]]  # an atom, and the cell that it stands in


@final
@dataclass(frozen=True)
class Chains:
    """M chains of K bonded atoms, each chain once and in one direction.

    Attributes
    ----------
    atoms
        Indices, shape (M, K).
    images
        The cell in which each atom stands, shape (M, K, 3); zero without periodicity.
    """

    atoms: Ints
    images: Ints

    def points(self, positions: Floats, cells: Floats) -> Floats:
        """Return where the atoms of the chains stand, shape (T, M, K, 3), Å.

        Parameters
        ----------
        positions
            Shape (T, N, 3), Å, unwrapped.
        cells
            Cell vectors as rows, shape (T, 3, 3), Å.
        """
        shifts = np.einsum("mkc,tcx->tmkx", self.images, cells)  # (T, M, K, 3)
        found: Floats = positions[:, self.atoms] + shifts
        return found


def bonds(atoms: Atoms, factor: float = FACTOR) -> Chains:
    """Return the bonds of a structure by covalent radii, across periodic boundaries too."""
    return _chains(_bonds(_neighbours(atoms, factor)), 2)


def angles(atoms: Atoms, factor: float = FACTOR) -> Chains:
    """Return all pairs of bonds that share an atom, which stands in the middle."""
    found = []
    for atom, around in enumerate(_neighbours(atoms, factor)):
        found += [[one, (atom, (0, 0, 0)), other] for one, other in combinations(around, 2)]
    return _chains(found, 3)


def dihedrals(atoms: Atoms, factor: float = FACTOR) -> Chains:
    """Return all chains of four atoms, those about a nearly straight bond angle excepted."""
    neighbours = _neighbours(atoms, factor)
    found = []
    for here, there in _bonds(neighbours):
        before = [one for one in neighbours[here[0]] if one != there]
        after = [_moved(one, there[1]) for one in neighbours[there[0]]]
        found += [
            [one, here, there, other]
            for one in before
            for other in after
            if other not in (here, one)
        ]
    chains = _chains(found, 4)
    cell = np.asarray(atoms.cell)
    steps = np.diff(chains.points(atoms.positions[None], cell[None])[0], axis=1)  # (M, 3, 3)
    if len(steps):
        first = get_angles(-steps[:, 0], steps[:, 1])  # (M,), degrees
        second = get_angles(-steps[:, 1], steps[:, 2])
        bent = np.maximum(first, second) < STRAIGHTEST
        chains = Chains(chains.atoms[bent], chains.images[bent])
    return chains


def _neighbours(atoms: Atoms, factor: float) -> list[list[Image]]:
    """Return the bonded images of each atom, sorted."""
    radii = covalent_radii[atoms.numbers]  # (N,), Å
    graph = neighbour_graph(atoms, 2.0 * factor * float(radii.max()))
    bonded = graph.distances < factor * (radii[graph.senders] + radii[graph.receivers])
    found: list[list[Image]] = [[] for _ in range(len(atoms))]
    for sender, receiver, shift in zip(
        graph.senders[bonded], graph.receivers[bonded], graph.shifts[bonded], strict=True
    ):
        found[sender].append((int(receiver), (int(shift[0]), int(shift[1]), int(shift[2]))))
    return [sorted(images) for images in found]


def _bonds(neighbours: list[list[Image]]) -> list[list[Image]]:
    found = []
    for atom, around in enumerate(neighbours):
        here: Image = (atom, (0, 0, 0))
        found += [[here, there] for there in around if there > here]
    return found


def _moved(image: Image, shift: tuple[int, int, int]) -> Image:
    atom, (a, b, c) = image
    return atom, (a + shift[0], b + shift[1], c + shift[2])


def _chains(found: list[list[Image]], length: int) -> Chains:
    atoms = [[atom for atom, _ in chain] for chain in found]
    images = [[shift for _, shift in chain] for chain in found]
    return Chains(
        np.array(atoms, dtype=np.int64).reshape(-1, length),
        np.array(images, dtype=np.int64).reshape(-1, length, 3),
    )
