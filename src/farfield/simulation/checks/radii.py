"""Pairs of atoms, with distances in units of the sum of their covalent radii."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from ase import Atoms
from ase.data import covalent_radii

from farfield.graphs import neighbour_graph

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
SHORTEST = 1.0  # Å; the neighbour search is slow with smaller cells


@dataclass(frozen=True)
class Pairs:
    """P pairs of atoms, images included, each once.

    Attributes
    ----------
    first, second
        Indices, shape (P,); an atom and its own image have the same.
    shifts
        Shape (P, 3): the second atom is displaced by ``shifts @ cell``.
    ratios
        Distance over the sum of covalent radii, shape (P,).
    """

    first: Ints
    second: Ints
    shifts: Ints
    ratios: Floats

    def keys(self) -> set[tuple[int, ...]]:
        """Each pair as ``(first, second, shift along each axis)``."""
        rows = np.column_stack([self.first, self.second, self.shifts])
        return {tuple(row) for row in rows.tolist()}

    def only(self, chosen: npt.NDArray[np.bool_]) -> Pairs:
        """Some of the pairs."""
        return Pairs(
            self.first[chosen], self.second[chosen], self.shifts[chosen], self.ratios[chosen]
        )

    def now(self, atoms: Atoms) -> Floats:
        """The ratios in another geometry of the same atoms, shape (P,)."""
        apart = atoms.positions[self.second] - atoms.positions[self.first]
        apart += self.shifts @ np.asarray(atoms.cell)
        return np.asarray(np.linalg.norm(apart, axis=1)) / radii(atoms, self.first, self.second)


def radii(atoms: Atoms, first: Ints, second: Ints) -> Floats:
    """Sum of the covalent radii of pairs, shape (P,), Å."""
    each = covalent_radii[atoms.numbers]
    return np.asarray(each[first] + each[second])


def pairs_within(atoms: Atoms, ratio: float) -> Pairs:
    """All pairs nearer than ``ratio`` times the sum of their covalent radii."""
    longest = 2.0 * ratio * float(covalent_radii[atoms.numbers].max())
    graph = neighbour_graph(atoms, max(longest, SHORTEST))
    ratios = graph.distances / radii(atoms, graph.senders, graph.receivers)
    found = Pairs(graph.senders, graph.receivers, graph.shifts, ratios)
    own = (graph.senders == graph.receivers) & _first_nonzero_positive(graph.shifts)
    return found.only((ratios < ratio) & ((graph.senders < graph.receivers) | own))


def _first_nonzero_positive(shifts: Ints) -> npt.NDArray[np.bool_]:
    """Whether the first shift that is not zero is positive: one of an image and its mirror."""
    x, y, z = shifts.T
    return np.asarray((x > 0) | ((x == 0) & ((y > 0) | ((y == 0) & (z > 0)))))


def named(atoms: Atoms, index: int) -> str:
    """An atom in words, such as ``C3``."""
    return f"{atoms.symbols[index]}{index}"
