"""Adjacency matrices and graph Laplacians of neighbour graphs.

The entry A_ij counts the directed edges from atom i to images of atom j, so a small cell
and its supercell have the same spectral density. An isolated atom has degree zero; its
row of the normalised Laplacian is zero by definition (Chung, *Spectral Graph Theory*,
1997, section 1.2), so that it counts as a component of its own.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from farfield.graphs.neighbours import Graph

Floats = npt.NDArray[np.float64]


ENVELOPE_POWER = 5
NO_WEIGHT = 1e-12


def envelope(distances: Floats, cutoff: float) -> Floats:
    """Polynomial envelope: 1 at distance 0, and 0 at ``cutoff`` with two zero derivatives.

    Equation 8 of Gasteiger et al., "Directional Message Passing for Molecular Graphs"
    (arXiv 2003.03123), with p = 5, as in MACE: the weight that an edge has in a message.
    """
    p, x = ENVELOPE_POWER, np.minimum(distances / cutoff, 1.0)
    return np.asarray(
        1.0
        - (p + 1) * (p + 2) / 2 * x**p
        + p * (p + 2) * x ** (p + 1)
        - p * (p + 1) / 2 * x ** (p + 2)
    )


def adjacency(graph: Graph, *, weighted: bool = False) -> Floats:
    """Return the symmetric adjacency matrix, shape (N, N): edge counts, or their weights.

    With ``weighted``, an edge counts by its :func:`envelope`: an edge at the cutoff, which
    carries no message, is no edge, and the matrix changes smoothly with the positions.
    """
    matrix = np.zeros((graph.n_atoms, graph.n_atoms))
    weights = envelope(graph.distances, graph.cutoff) if weighted else 1.0
    np.add.at(matrix, (graph.senders, graph.receivers), weights)
    return matrix


def laplacian(graph: Graph, *, normalised: bool = True, weighted: bool = False) -> Floats:
    """Return the graph Laplacian, shape (N, N), symmetric.

    Normalised: L = I - D^(-1/2) A D^(-1/2), with eigenvalues in [0, 2]. Unnormalised:
    L = D - A. D is the diagonal matrix of degrees.
    """
    matrix = adjacency(graph, weighted=weighted)
    degree = matrix.sum(axis=1)  # (N,)
    if not normalised:
        return np.diag(degree) - matrix
    scale = np.zeros_like(degree)
    np.divide(1.0, np.sqrt(degree), out=scale, where=degree > NO_WEIGHT)
    return np.diag((degree > NO_WEIGHT).astype(float)) - scale[:, None] * matrix * scale[None, :]
