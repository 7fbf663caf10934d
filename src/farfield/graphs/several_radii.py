"""Spectra of a graph within several radii, from one neighbour list."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from farfield.graphs.batched import SMALL, STACK_ENTRIES, normalised
from farfield.graphs.neighbours import Graph
from farfield.graphs.spectra import clipped, spectrum

Floats = npt.NDArray[np.float64]


def spectra_within(graphs: Sequence[Graph], radii: Sequence[float]) -> list[Floats]:
    """The plain :func:`spectrum` of every graph within each radius, shapes (K, N).

    The matrices of one small molecule at all radii are a stack, and so are those of several
    molecules of the same number of atoms. Radii between which no edge lies share a spectrum.

    Parameters
    ----------
    graphs
        Each reaches the largest radius.
    radii
        Å, shape (K,).
    """
    found: dict[int, Floats] = {}
    for size, places in _alike(graphs).items():
        most = max(1, STACK_ENTRIES // (size**2 * len(radii)))
        for start in range(0, len(places), most):
            part = places[start : start + most]
            values = _stacked([graphs[place] for place in part], radii)
            found |= zip(part, values, strict=True)
    return [
        found[place] if place in found else np.stack([spectrum(graph.within(r)) for r in radii])
        for place, graph in enumerate(graphs)
    ]


def _alike(graphs: Sequence[Graph]) -> dict[int, list[int]]:
    """Places of open molecules by their number of atoms."""
    together: dict[int, list[int]] = {}
    for place, graph in enumerate(graphs):
        if 0 < graph.n_atoms <= SMALL and not any(graph.pbc):
            together.setdefault(graph.n_atoms, []).append(place)
    return together


def _stacked(graphs: Sequence[Graph], radii: Sequence[float]) -> Floats:
    """Spectra of B molecules of N atoms at K radii, shape (B, K, N)."""
    count, size = len(graphs), graphs[0].n_atoms
    owners = np.repeat(np.arange(count), [graph.n_edges for graph in graphs])
    senders = np.concatenate([graph.senders for graph in graphs])
    receivers = np.concatenate([graph.receivers for graph in graphs])
    distances = np.full((count, size, size), np.inf)  # an open molecule has one edge per pair
    distances[owners, senders, receivers] = np.concatenate([g.distances for g in graphs])
    order = np.argsort(radii)
    reaches = np.asarray(radii, dtype=float)[order]
    linked = distances[:, None] < reaches[:, None, None]  # (B, K, N, N)
    edges = linked.sum(axis=(2, 3))  # (B, K)
    differs = np.diff(edges, axis=1, prepend=-1) > 0  # from the graph within the radius before
    values = clipped(np.linalg.eigvalsh(normalised(linked[differs].astype(float))))
    latest = np.cumsum(differs.ravel()).reshape(differs.shape) - 1  # (B, K): the first differs
    return np.asarray(values[latest][:, np.argsort(order)])
