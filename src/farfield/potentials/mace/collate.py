"""From graphs to the dictionary of tensors that a MACE model takes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

from farfield.graphs import Graph

Batch = dict[str, torch.Tensor]


def collate(
    graphs: Sequence[Graph],
    heads: Sequence[int],
    species: Sequence[int],
    dtype: torch.dtype,
    device: torch.device,
) -> Batch:
    """Join B graphs of N atoms and E edges in all into one MACE batch.

    Parameters
    ----------
    graphs
        The neighbour graphs; only their edges will carry messages.
    heads
        Index of the head of each graph, shape (B,).
    species
        The model's atomic numbers, in the order of its one-hot encoding.
    dtype, device
        Of the floating-point tensors.
    """
    counts = np.array([graph.n_atoms for graph in graphs])
    starts = np.concatenate([[0], np.cumsum(counts)])  # (B + 1,)
    place = {number: index for index, number in enumerate(species)}
    elements = [place[int(number)] for graph in graphs for number in graph.numbers]  # (N,)
    edges = [
        np.stack([graph.senders, graph.receivers]) + start
        for graph, start in zip(graphs, starts, strict=False)
    ]
    displacements = [graph.shifts @ graph.cell for graph in graphs]

    def floats(array: np.ndarray) -> torch.Tensor:
        return torch.as_tensor(array, dtype=dtype, device=device)

    def integers(array: np.ndarray | Sequence[int]) -> torch.Tensor:
        return torch.as_tensor(np.asarray(array), dtype=torch.long, device=device)

    return {
        "positions": floats(np.concatenate([graph.positions for graph in graphs])),  # (N, 3)
        "node_attrs": torch.nn.functional.one_hot(integers(elements), len(species)).to(dtype),
        "edge_index": integers(np.concatenate(edges, axis=1)),  # (2, E)
        "shifts": floats(np.concatenate(displacements)),  # (E, 3), Å
        "unit_shifts": floats(np.concatenate([graph.shifts for graph in graphs])),  # (E, 3)
        "cell": floats(np.concatenate([graph.cell for graph in graphs])),  # (3 B, 3)
        "batch": integers(np.repeat(np.arange(len(graphs)), counts)),  # (N,)
        "ptr": integers(starts),
        "head": integers(heads),
    }
