"""Neighbour lists: the graph of a structure within a cutoff, periodic images included."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from ase import Atoms
from vesin import NeighborList

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Graph:
    """Directed graph of N atoms with E edges; each bond within the cutoff gives two edges.

    Attributes
    ----------
    numbers
        Atomic numbers, shape (N,).
    positions
        Positions, shape (N, 3), Å.
    cell
        Cell vectors as rows, shape (3, 3), Å; of meaning only where periodic.
    pbc
        Which cell vectors are periodic.
    senders, receivers
        Shape (E,): edge e leads from atom ``senders[e]`` to an image of ``receivers[e]``.
    shifts
        Shape (E, 3): the image is displaced by ``shifts[e] @ cell``.
    distances
        Shape (E,), Å.
    cutoff
        Every edge is shorter than this, Å.

    Examples
    --------
    >>> from ase.build import molecule
    >>> neighbour_graph(molecule("H2O"), cutoff=5.0).n_edges  # three bonds, both ways
    6
    """

    numbers: Ints
    positions: Floats
    cell: Floats
    pbc: tuple[bool, bool, bool]
    senders: Ints
    receivers: Ints
    shifts: Ints
    distances: Floats
    cutoff: float

    @property
    def n_atoms(self) -> int:
        """Number of atoms N."""
        return len(self.numbers)

    @property
    def n_edges(self) -> int:
        """Number of directed edges E."""
        return len(self.senders)

    def within(self, cutoff: float) -> Graph:
        """The same graph with only the edges shorter than a smaller ``cutoff`` (Å).

        Raises
        ------
        ValueError
            If ``cutoff`` is larger than the graph's own: edges beyond it are not known.
        """
        if cutoff > self.cutoff:
            raise ValueError(
                f"the graph reaches {self.cutoff} Å, so it cannot be cut at {cutoff} Å: "
                "build it with the larger cutoff first"
            )
        keep = self.distances < cutoff  # as vesin decides it
        return replace(
            self,
            senders=self.senders[keep],
            receivers=self.receivers[keep],
            shifts=self.shifts[keep],
            distances=self.distances[keep],
            cutoff=cutoff,
        )


def neighbour_graph(atoms: Atoms, cutoff: float) -> Graph:
    """Build the graph of ``atoms`` with every edge shorter than ``cutoff`` (Å), by vesin.

    Periodic structures get an edge per image, an atom's own images included. An atom
    without a neighbour stands in the graph with no edge.
    """
    cell = np.asarray(atoms.cell, dtype=float)
    neighbours = NeighborList(cutoff=cutoff, full_list=True)
    senders, receivers, shifts, distances = neighbours.compute(
        points=atoms.positions,
        box=cell,
        periodic=np.asarray(atoms.pbc),
        quantities="ijSd",
        copy=False,  # they are copied below, while the list that owns them lives
    )
    return Graph(
        numbers=atoms.numbers.astype(np.int64),
        positions=atoms.positions.copy(),
        cell=cell,
        pbc=(bool(atoms.pbc[0]), bool(atoms.pbc[1]), bool(atoms.pbc[2])),
        senders=senders.astype(np.int64),
        receivers=receivers.astype(np.int64),
        shifts=shifts.astype(np.int64),
        distances=distances.astype(float),
        cutoff=float(cutoff),
    )
