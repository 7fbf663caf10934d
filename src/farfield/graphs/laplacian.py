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

from farfield.graphs.neighbours import Graph

Floats = npt.NDArray[np.float64]
Matrices = npt.NDArray[np.float64] | npt.NDArray[np.complex128]

ENVELOPE_POWER = 5
NO_WEIGHT = 1e-12
BLOCH_WIDTH = 2.0  # in cutoffs: no closed walk of two edges then winds round the crystal


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

    The Laplacian of a supercell of n cells falls into n matrices of the size of one cell,
    in which an edge to an image at the lattice vector S carries the phase exp(2πi k·S)
    (Bloch's theorem). The supercell is the smallest that is as wide as two cutoffs in
    every periodic direction, so that a small cell and its multiples are described nearly
    alike; the wave vectors are shifted by half a step, as Monkhorst and Pack do it, which
    halves what is left. Of the pair k and -k, with the same eigenvalues, one is returned.

    Returns
    -------
    Hermitian matrices, shape (K, N, N), and shares, shape (K,), with the sum one. A
    molecule, or a wide cell, has K = 1 and the :func:`laplacian` itself.
    """
    waves, shares = wave_vectors(graph)
    if not waves.any():
        return laplacian(graph, weighted=weighted)[None], np.ones(1)
    phases = np.exp(2j * np.pi * (waves @ graph.shifts.T))  # (K, 3) @ (3, E) -> (K, E)
    matrices = np.zeros((len(shares), graph.n_atoms, graph.n_atoms), dtype=complex)
    for matrix, phase in zip(matrices, phases, strict=True):
        np.add.at(matrix, (graph.senders, graph.receivers), phase * edge_weights(graph, weighted))
    matrices = (matrices + matrices.conj().transpose(0, 2, 1)) / 2.0
    diagonal, scale = normalisation(adjacency(graph, weighted=weighted).sum(axis=1))
    return np.diag(diagonal) - scale[:, None] * matrices * scale[None, :], shares


def wave_vectors(graph: Graph) -> tuple[Floats, Floats]:
    """Wave vectors of :func:`bloch_laplacians` in reciprocal cell vectors, and their shares.

    Shapes (K, 3) and (K,); a molecule or a wide cell has the one that is zero.
    """
    mesh = _mesh(graph)
    steps = np.stack(np.meshgrid(*map(np.arange, mesh), indexing="ij"), axis=-1).reshape(-1, 3)
    place = np.ravel_multi_index(tuple(steps.T), tuple(mesh))  # (n,)
    opposite = np.ravel_multi_index(tuple((mesh - 1 - steps).T), tuple(mesh))
    kept = place <= opposite
    shares = np.where(place < opposite, 2.0, 1.0)[kept] / len(steps)
    return (steps[kept] + np.where(mesh > 1, 0.5, 0.0)) / mesh, shares


def edge_weights(graph: Graph, weighted: bool) -> Floats:
    """What each edge counts, shape (E,): one, or its :func:`envelope`."""
    return envelope(graph.distances, graph.cutoff) if weighted else np.ones(graph.n_edges)


def normalisation(degree: Floats) -> tuple[Floats, Floats]:
    """The diagonal of D^(-1/2) D D^(-1/2), and D^(-1/2); zeros for isolated atoms."""
    linked = degree > NO_WEIGHT
    scale = np.zeros_like(degree)
    scale[linked] = 1.0 / np.sqrt(degree[linked])
    return linked.astype(float), scale


def _mesh(graph: Graph) -> npt.NDArray[np.int64]:
    """Number of wave vectors along each cell vector, shape (3,)."""
    mesh = np.ones(3, dtype=np.int64)
    periodic = np.flatnonzero(graph.pbc)
    if len(periodic) and graph.n_edges:
        widths = 1.0 / np.linalg.norm(np.linalg.pinv(graph.cell[periodic]), axis=0)
        needed = np.ceil(BLOCH_WIDTH * graph.cutoff / widths - 1e-9)
        mesh[periodic] = np.maximum(needed, 1).astype(np.int64)
    return mesh
