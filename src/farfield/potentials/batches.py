"""Structures as one batch of tensors: atoms, cells and directed edges."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

import numpy as np
import numpy.typing as npt
import torch

from farfield.graphs import Graph


@final
@dataclass(frozen=True)
class Batch:
    """B structures with N atoms and E directed edges in all.

    Attributes
    ----------
    numbers
        Atomic numbers, shape (N,).
    positions
        Shape (N, 3), Å.
    cells
        Cell vectors as rows, shape (B, 3, 3), Å; of meaning only where periodic.
    volumes
        Of the cells, shape (B,), Å³, float64; of meaning only where periodic in all directions.
    owners
        Structure of each atom, shape (N,).
    heads
        Index of each structure's head, shape (B,).
    edges
        Edge e leads from atom ``edges[0, e]`` to an image of ``edges[1, e]``, shape (2, E).
    shifts
        That image is displaced by ``shifts[e] @ cell``, shape (E, 3).
    cutoff
        Every edge is shorter than this, Å.
    """

    numbers: torch.Tensor
    positions: torch.Tensor
    cells: torch.Tensor
    volumes: torch.Tensor
    owners: torch.Tensor
    heads: torch.Tensor
    edges: torch.Tensor
    shifts: torch.Tensor
    cutoff: float

    @property
    def head_of_atom(self) -> torch.Tensor:
        """Index of the head of each atom, shape (N,)."""
        return self.heads[self.owners]

    def vectors(self) -> torch.Tensor:
        """Vector along each edge, shape (E, 3), Å."""
        senders, receivers = self.edges
        moved = torch.einsum("ei,eij->ej", self.shifts, self.cells[self.owners[senders]])
        return self.positions[receivers] - self.positions[senders] + moved


def collate(
    graphs: Sequence[Graph], heads: Sequence[int], dtype: torch.dtype, device: torch.device
) -> Batch:
    """Join neighbour graphs into one batch; ``heads`` holds the index of each graph's head."""
    counts = np.array([graph.n_atoms for graph in graphs])
    starts = np.cumsum(counts) - counts

    def floats(arrays: Sequence[npt.NDArray[np.float64]]) -> torch.Tensor:
        return torch.as_tensor(np.concatenate(arrays), dtype=dtype, device=device)

    def integers(array: npt.ArrayLike) -> torch.Tensor:
        return torch.as_tensor(np.asarray(array), dtype=torch.long, device=device)

    volumes = [abs(np.linalg.det(graph.cell)) for graph in graphs]
    edges = [
        np.stack([graph.senders, graph.receivers]) + start
        for graph, start in zip(graphs, starts, strict=True)
    ]
    return Batch(
        numbers=integers(np.concatenate([graph.numbers for graph in graphs])),
        positions=floats([graph.positions for graph in graphs]),
        cells=floats([graph.cell[None] for graph in graphs]),
        volumes=torch.as_tensor(np.array(volumes), device=device),
        owners=integers(np.repeat(np.arange(len(graphs)), counts)),
        heads=integers(heads),
        edges=integers(np.concatenate(edges, axis=1)),
        shifts=floats([graph.shifts.astype(float) for graph in graphs]),
        cutoff=graphs[0].cutoff,
    )
