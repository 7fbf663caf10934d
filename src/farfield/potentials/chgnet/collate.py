"""From graphs to the tensors that CHGNet's layers take: atoms, bonds and angles.

CHGNet has two graphs. In the atom graph, edges join atoms within the cutoff, and the two
directed edges of a bond share one bond. In the bond graph, angles join two short edges that
leave the same atom. The package builds both from lists of Python objects; here they come
from farfield's neighbour graph by sorting, with the same result.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

import numpy as np
import numpy.typing as npt
import torch

from farfield.graphs import Graph

Ints = npt.NDArray[np.int64]


@final
@dataclass(frozen=True)
class Batch:
    """B structures with N atoms, E directed edges, U bonds and A angles in all.

    Attributes
    ----------
    numbers
        Atomic numbers, shape (N,).
    positions
        Shape (N, 3), Å.
    owners
        Structure of each atom, shape (N,).
    volumes
        Of the cells, shape (B,), Å³; of meaning only where periodic in all directions.
    heads
        Index of each structure's head, shape (B,).
    edges
        Edge e leads from atom ``edges[e, 0]`` to an image of ``edges[e, 1]``, shape (E, 2).
    displacements
        Displacement of that image, shape (E, 3), Å.
    bond_of_edge
        The bond of each edge, shape (E,).
    edge_of_bond
        One of the two edges of each bond, shape (U,).
    angles
        Central atom, first bond and second bond, shape (A, 3).
    angle_edges
        First and second edge, shape (A, 2).
    """

    numbers: torch.Tensor
    positions: torch.Tensor
    owners: torch.Tensor
    volumes: torch.Tensor
    heads: torch.Tensor
    edges: torch.Tensor
    displacements: torch.Tensor
    bond_of_edge: torch.Tensor
    edge_of_bond: torch.Tensor
    angles: torch.Tensor
    angle_edges: torch.Tensor


def collate(
    graphs: Sequence[Graph],
    heads: Sequence[int],
    angle_cutoff: float,
    dtype: torch.dtype,
    device: torch.device,
) -> Batch:
    """Join graphs into one batch.

    Parameters
    ----------
    graphs
        Neighbour graphs within the model's cutoff.
    heads
        Index of the head of each graph.
    angle_cutoff
        Longest edge that takes part in an angle, Å.
    dtype, device
        Of the floating-point tensors.
    """
    counts = np.array([graph.n_atoms for graph in graphs])
    starts = np.concatenate([[0], np.cumsum(counts)])
    edges, bond_of_edge, edge_of_bond, angle_edges = [], [], [], []
    n_edges = n_bonds = 0
    for graph, start in zip(graphs, starts, strict=False):
        bonds, first = _bonds(graph)
        edges.append(np.stack([graph.senders, graph.receivers], axis=1) + start)
        bond_of_edge.append(bonds + n_bonds)
        edge_of_bond.append(first + n_edges)
        angle_edges.append(_pairs_of_edges(graph, angle_cutoff) + n_edges)
        n_edges += graph.n_edges
        n_bonds += len(first)
    all_edges = np.concatenate(edges)  # (E, 2)
    all_bonds = np.concatenate(bond_of_edge)  # (E,)
    pairs = np.concatenate(angle_edges)  # (A, 2)
    centres = all_edges[pairs[:, 0], 0]  # (A,)

    def floats(array: npt.ArrayLike) -> torch.Tensor:
        return torch.as_tensor(np.asarray(array), dtype=dtype, device=device)

    def integers(array: npt.ArrayLike) -> torch.Tensor:
        return torch.as_tensor(np.asarray(array), dtype=torch.long, device=device)

    return Batch(
        numbers=integers(np.concatenate([graph.numbers for graph in graphs])),
        positions=floats(np.concatenate([graph.positions for graph in graphs])),
        owners=integers(np.repeat(np.arange(len(graphs)), counts)),
        volumes=floats([abs(np.linalg.det(graph.cell)) for graph in graphs]),
        heads=integers(heads),
        edges=integers(all_edges),
        displacements=floats(np.concatenate([graph.shifts @ graph.cell for graph in graphs])),
        bond_of_edge=integers(all_bonds),
        edge_of_bond=integers(np.concatenate(edge_of_bond)),
        angles=integers(np.column_stack([centres, all_bonds[pairs]])),
        angle_edges=integers(pairs),
    )


def _bonds(graph: Graph) -> tuple[Ints, Ints]:
    """The bond of each edge, shape (E,), and one edge of each bond, shape (U,).

    An edge and its reverse, which leads back by the opposite shift, are the same bond.
    """
    reach = int(np.abs(graph.shifts).max(initial=0))
    base = 2 * reach + 1

    def keys(senders: Ints, receivers: Ints, shifts: Ints) -> Ints:
        key = senders * graph.n_atoms + receivers
        for axis in range(3):
            key = key * base + shifts[:, axis] + reach
        return key

    forth = keys(graph.senders, graph.receivers, graph.shifts)
    back = keys(graph.receivers, graph.senders, -graph.shifts)
    _, first, bonds = np.unique(np.minimum(forth, back), return_index=True, return_inverse=True)
    return bonds, first


def _pairs_of_edges(graph: Graph, cutoff: float) -> Ints:
    """All ordered pairs of different edges within ``cutoff`` from the same atom, shape (A, 2)."""
    short = np.flatnonzero(graph.distances < cutoff)
    short = short[np.argsort(graph.senders[short], kind="stable")]
    _, starts, owners, counts = np.unique(
        graph.senders[short], return_index=True, return_inverse=True, return_counts=True
    )
    partners = counts[owners]  # edges at the same atom, this one included
    first = np.repeat(np.arange(len(short)), partners)
    begin = np.cumsum(partners) - partners
    within = np.arange(len(first)) - np.repeat(begin, partners)
    second = np.repeat(starts[owners], partners) + within
    different = first != second
    return np.stack([short[first[different]], short[second[different]]], axis=1)
