"""Graphs and spectra of many small structures at once.

Molecules of as many atoms as each other are stacked, so that one call of LAPACK, or of any
other array function, serves hundreds of them. What comes out does not depend on the company:
a structure alone is a stack of one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np
import numpy.typing as npt
from ase import Atoms

from farfield.graphs.densities import cumulative
from farfield.graphs.laplacian import envelope, normalisation
from farfield.graphs.neighbours import Graph, neighbour_graph
from farfield.graphs.spectra import clipped, local_spectrum, spectrum

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

SMALL = 64  # atoms: above it, a cell list and a call of its own are as fast
STACK_ENTRIES = 2**16  # of the matrices of a stack, which then stays in a cache


def neighbour_graphs(structures: Sequence[Atoms], cutoff: float) -> list[Graph]:
    """The :func:`neighbour_graph` of each structure; small molecules are done together."""
    graphs: dict[int, Graph] = {}
    small = [
        len(atoms) if 0 < len(atoms) <= SMALL and not atoms.pbc.any() else None
        for atoms in structures
    ]
    for places in _stacks(small):
        graphs |= zip(places, _open_graphs([structures[at] for at in places], cutoff), strict=True)
    for place, size in enumerate(small):
        if size is None:
            graphs[place] = neighbour_graph(structures[place], cutoff)
    return [graphs[place] for place in range(len(structures))]


def local_densities(graphs: Sequence[Graph], *, weighted: bool = False) -> list[Floats]:
    """Cumulative spectral density of each atom of each graph, shapes (N, GRID_POINTS).

    For graphs of up to EXACT_ATOMS atoms, as is :func:`farfield.graphs.local_spectrum`.
    """

    def stacked(stack: Sequence[Graph]) -> Floats:
        values, vectors = np.linalg.eigh(_laplacians(stack, weighted))  # (B, N), (B, N, N)
        return cumulative(clipped(values), vectors**2)

    def single(graph: Graph) -> Floats:
        values, weights = local_spectrum(graph, weighted=weighted)
        return cumulative(values, weights)

    return _each(graphs, stacked, single)


def sorted_spectra(graphs: Sequence[Graph], *, weighted: bool = False) -> list[Floats]:
    """The :func:`spectrum` of each graph, shapes (N,)."""
    return _each(
        graphs,
        lambda stack: clipped(np.linalg.eigvalsh(_laplacians(stack, weighted))),
        lambda graph: spectrum(graph, weighted=weighted),
    )


def _each(
    graphs: Sequence[Graph],
    stacked: Callable[[Sequence[Graph]], Floats],
    single: Callable[[Graph], Floats],
) -> list[Floats]:
    """Whatever belongs to each graph: from a stack where it is a small molecule, or alone."""
    small = [
        graph.n_atoms if graph.n_atoms <= SMALL and not any(graph.pbc) else None for graph in graphs
    ]
    found: dict[int, Floats] = {}
    for places in _stacks(small):
        found |= zip(places, stacked([graphs[place] for place in places]), strict=True)
    for place, size in enumerate(small):
        if size is None:
            found[place] = single(graphs[place])
    return [found[place] for place in range(len(graphs))]


def _stacks(sizes: Sequence[int | None]) -> Iterator[list[int]]:
    """Places of equal sizes, not too many together; None belongs to no stack."""
    together: dict[int, list[int]] = {}
    for place, size in enumerate(sizes):
        if size is not None:
            together.setdefault(size, []).append(place)
    for size, places in together.items():
        most = max(1, STACK_ENTRIES // size**2)
        for start in range(0, len(places), most):
            yield places[start : start + most]


def _open_graphs(structures: Sequence[Atoms], cutoff: float) -> list[Graph]:
    """Graphs of molecules of N atoms each, by all their N² distances."""
    positions = np.array([atoms.positions for atoms in structures], dtype=float)  # (B, N, 3)
    squares = np.zeros((len(structures), positions.shape[1], positions.shape[1]))
    for axis in range(3):  # added up in the order of vesin, for the same rounding
        along = positions[:, :, axis]
        difference = along[:, None, :] - along[:, :, None]
        squares += difference * difference
    linked = squares < cutoff * cutoff
    linked[:, np.arange(positions.shape[1]), np.arange(positions.shape[1])] = False
    distances = np.sqrt(squares[linked])
    owners, senders, receivers = np.nonzero(linked)
    shifts = np.zeros((len(owners), 3), dtype=np.int64)
    ends = np.searchsorted(owners, np.arange(len(structures) + 1))
    return [
        Graph(
            numbers=atoms.numbers.astype(np.int64),
            positions=place,
            cell=np.array(atoms.cell, dtype=float),
            pbc=(False, False, False),
            senders=senders[start:stop],
            receivers=receivers[start:stop],
            shifts=shifts[start:stop],
            distances=distances[start:stop],
            cutoff=float(cutoff),
        )
        for atoms, place, start, stop in zip(
            structures, positions, ends[:-1], ends[1:], strict=True
        )
    ]


def _laplacians(graphs: Sequence[Graph], weighted: bool) -> Floats:
    """Normalised Laplacians of B molecules of N atoms each, shape (B, N, N)."""
    count, size = len(graphs), graphs[0].n_atoms
    owners = np.repeat(np.arange(count), [graph.n_edges for graph in graphs])
    senders = np.concatenate([graph.senders for graph in graphs])
    receivers = np.concatenate([graph.receivers for graph in graphs])
    cutoffs = np.repeat([graph.cutoff for graph in graphs], [graph.n_edges for graph in graphs])
    distances = np.concatenate([graph.distances for graph in graphs])
    weights = envelope(distances, cutoffs) if weighted else np.ones(len(distances))
    places = (owners * size + senders) * size + receivers
    sums: Floats = np.bincount(places, weights, count * size**2).astype(float, copy=False)
    return normalised(sums.reshape(count, size, size))


def normalised(adjacency: Floats) -> Floats:
    """Normalised Laplacians of a stack of adjacency matrices, shape (B, N, N), made symmetric."""
    matrices: Floats = (adjacency + adjacency.transpose(0, 2, 1)) / 2.0
    degree = matrices.sum(axis=2)  # (B, N)
    diagonal, scale = normalisation(degree)
    matrices *= -scale[:, :, None]
    matrices *= scale[:, None, :]
    along = np.arange(matrices.shape[1])
    matrices[:, along, along] += diagonal
    return matrices
