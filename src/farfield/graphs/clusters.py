"""Local spectra in large graphs, by the cluster of a few hops around each atom.

The local density of an atom cannot be had exactly without the whole graph, but its first
moments can: a closed walk of 2h + 1 edges stays within h hops. NODES Lanczos steps from the
atom give the density with NODES eigenvalues that has the first 2 NODES moments of the exact
one (Haydock, Heine & Kelly, J. Phys. C 5, 2845, 1972), and need NODES - 1 hops. Densities that
are known exactly are brought to the same form before the two are compared.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_array, diags_array

from farfield.graphs.densities import SPACING
from farfield.graphs.neighbours import Graph
from farfield.graphs.sparse import propagator
from farfield.graphs.stochastic import lanczos, levels_of
from farfield.graphs.waves import wave_vectors

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

NODES = 4
CHUNK = 64  # atoms that share a cluster


def coarse_densities(
    graph: Graph, atoms: Ints | None = None, *, weighted: bool = False
) -> Iterator[tuple[Ints, Floats]]:
    """Local densities of ``atoms`` (all by default) with NODES eigenvalues each.

    Yields
    ------
    Indices of some atoms, shape (C,), and their cumulative densities, shape (C, GRID_POINTS);
    near atoms come together. Time grows as the number of atoms times the edges of a cluster,
    memory as the edges of the graph.
    """
    waves, shares = wave_vectors(graph)
    matrices = [propagator(graph, weighted=weighted, wave=wave) for wave in waves]
    chosen = np.arange(graph.n_atoms) if atoms is None else atoms
    reached = np.zeros(graph.n_atoms, dtype=bool)
    for chunk in _near(graph, chosen):
        cluster = _cluster(matrices[0], chunk, reached)
        start = cluster[:, None] == chunk[None, :]  # (M, C)
        found = [
            levels_of(*lanczos(inner, start.astype(inner.dtype), NODES))
            for inner in (matrix[cluster][:, cluster] for matrix in matrices)
        ]
        levels = np.tensordot(shares, found, axes=1)  # (C, grid)
        yield chunk, levels if len(found) == 1 else coarse(levels)


def coarse(levels: Floats, spacing: float = SPACING) -> Floats:
    """Cumulative densities, each with NODES eigenvalues, shape (M, GRID_POINTS).

    ``levels``, of shape (M, G), are those at 0 and at G - 1 more steps of ``spacing``.
    """
    start = np.sqrt(np.maximum(np.diff(levels, axis=1, prepend=0.0), 0.0)).T  # (G, M)
    matrix = diags_array(1.0 - spacing * np.arange(levels.shape[1])).tocsr()
    return levels_of(*lanczos(matrix, start.astype(float), NODES))


def _near(graph: Graph, atoms: Ints) -> Iterator[Ints]:
    """``atoms`` in chunks of neighbours in space, one box of two cutoffs' width after another."""
    places = np.floor(graph.positions[atoms] / (2.0 * graph.cutoff)).astype(np.int64)
    order = np.lexsort(places.T)
    for start in range(0, len(atoms), CHUNK):
        yield np.sort(atoms[order[start : start + CHUNK]])


def _cluster(matrix: csr_array, atoms: Ints, reached: npt.NDArray[np.bool_]) -> Ints:
    """Indices of all atoms within NODES - 1 hops of ``atoms``, which come among them."""
    members, edge = [atoms], atoms
    reached[atoms] = True
    for _ in range(NODES - 1):
        found = matrix[edge].indices
        edge = np.unique(found[~reached[found]]).astype(np.int64)
        reached[edge] = True
        members.append(edge)
    cluster = np.sort(np.concatenate(members))
    reached[cluster] = False
    return cluster
