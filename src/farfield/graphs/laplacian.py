"""Adjacency matrices and graph Laplacians of neighbour graphs.

The entry A_ij counts the directed edges from atom i to images of atom j, so an atom has the
same degree in a small cell as in its supercell. An isolated atom has degree zero; its row of
the normalised Laplacian is zero by definition (Chung, *Spectral Graph Theory*, 1997, section
1.2), so that it counts as a component of its own.
"""

from __future__ import annotations

from math import comb

import numpy as np
import numpy.typing as npt
from scipy.sparse import coo_array

from farfield.graphs.neighbours import Graph
from farfield.graphs.waves import phases, wave_vectors

Floats = npt.NDArray[np.float64]
Matrices = npt.NDArray[np.float64] | npt.NDArray[np.complex128]

ENVELOPE_POWER = 5
NO_WEIGHT = 1e-12


def envelope(distances: Floats, cutoff: float | Floats) -> Floats:
    """Polynomial envelope: 1 at distance 0, and 0 at ``cutoff`` with two zero derivatives.

    Equation 8 of Gasteiger et al., "Directional Message Passing for Molecular Graphs"
    (arXiv 2003.03123), with p = 5, as in MACE: the weight that an edge has in a message. It is
    written here as (1 - x)³ times a polynomial without negative terms, since the sum over
    powers of x loses all digits near the cutoff and falls below zero there.
    """
    x = np.minimum(distances / cutoff, 1.0)
    rest = np.zeros_like(x)
    for power in reversed(range(ENVELOPE_POWER)):  # Horner
        rest *= x
        rest += comb(power + 2, 2)
    left = 1.0 - x
    rest *= left * left * left
    return np.asarray(rest)


def adjacency(graph: Graph, *, weighted: bool = False) -> Floats:
    """Return the symmetric adjacency matrix, shape (N, N): edge counts, or their weights.

    With ``weighted``, an edge counts by its :func:`envelope`: an edge at the cutoff, which
    carries no message, is no edge, and the matrix changes smoothly with the positions. An
    edge that only one of its atoms has (a model's neighbour cap) counts half for both.
    """
    matrix = np.zeros((graph.n_atoms, graph.n_atoms))
    np.add.at(matrix, (graph.senders, graph.receivers), edge_weights(graph, weighted))
    return (matrix + matrix.T) / 2.0


def laplacian(graph: Graph, *, normalised: bool = True, weighted: bool = False) -> Floats:
    """Return the graph Laplacian, shape (N, N), symmetric.

    Normalised: L = I - D^(-1/2) A D^(-1/2), with eigenvalues in [0, 2]. Unnormalised:
    L = D - A. D is the diagonal matrix of degrees.
    """
    matrix = adjacency(graph, weighted=weighted)
    degree = matrix.sum(axis=1)  # (N,)
    if not normalised:
        return np.diag(degree) - matrix
    diagonal, scale = normalisation(degree)
    return np.diag(diagonal) - scale[:, None] * matrix * scale[None, :]


def bloch_laplacians(graph: Graph, *, weighted: bool = False) -> tuple[Matrices, Floats]:
    """Normalised Laplacians of a crystal at K wave vectors, and the share of each.

    See :mod:`farfield.graphs.waves`. An edge to an image at the lattice vector S carries the
    phase exp(2πi k·S).

    Returns
    -------
    Hermitian matrices, shape (K, N, N), and shares, shape (K,), with the sum one; real ones
    where a cell is so wide that every phase is 1 or -1. A molecule has K = 1 and the
    :func:`laplacian` itself.
    """
    waves, shares = wave_vectors(graph)
    if not waves.any():
        return laplacian(graph, weighted=weighted)[None], np.ones(1)
    hops, kind = np.unique(graph.shifts, axis=0, return_inverse=True)  # (H, 3)
    places = (graph.senders * graph.n_atoms + graph.receivers, kind.ravel())
    sums = coo_array(
        (edge_weights(graph, weighted), places), shape=(graph.n_atoms**2, len(hops))
    ).tocsr()
    matrices = (sums @ phases(waves, hops).T).T.reshape(-1, graph.n_atoms, graph.n_atoms)
    matrices = (matrices + matrices.conj().transpose(0, 2, 1)) / 2.0
    diagonal, scale = normalisation(adjacency(graph, weighted=weighted).sum(axis=1))
    return np.diag(diagonal) - scale[:, None] * matrices * scale[None, :], shares


def edge_weights(graph: Graph, weighted: bool) -> Floats:
    """What each edge counts, shape (E,): one, or its :func:`envelope`."""
    return envelope(graph.distances, graph.cutoff) if weighted else np.ones(graph.n_edges)


def normalisation(degree: Floats) -> tuple[Floats, Floats]:
    """The diagonal of D^(-1/2) D D^(-1/2), and D^(-1/2); zeros for isolated atoms."""
    linked = degree > NO_WEIGHT
    scale = np.zeros_like(degree)
    scale[linked] = 1.0 / np.sqrt(degree[linked])
    return linked.astype(float), scale
