"""The matrix I - L of a large graph, sparse: O(edges) in time and memory."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.sparse import coo_array, csr_array

from farfield.graphs.laplacian import edge_weights, normalisation
from farfield.graphs.neighbours import Graph
from farfield.graphs.waves import phases

Floats = npt.NDArray[np.float64]


def propagator(
    graph: Graph,
    *,
    weighted: bool = False,
    wave: Floats | None = None,
    unit: float | None = None,
) -> csr_array:
    """I - L = D^(-1/2) A D^(-1/2), shape (N, N), with eigenvalues in [-1, 1], in float32.

    An isolated atom has 1 on the diagonal: zero in L. With a ``wave`` vector other than zero,
    in reciprocal cell vectors, shape (3,), an edge carries its phase
    (:func:`farfield.graphs.bloch_laplacians`), and the matrix is Hermitian, in complex64 unless
    every phase is 1 or -1. With a ``unit``, the largest degree or more, L stands for the
    unnormalised D - A in this unit.
    """
    weights = edge_weights(graph, weighted).astype(np.float32)
    degree = degrees(graph, weighted=weighted)
    if unit is None:
        linked, scale = normalisation(degree)
        diagonal = 1.0 - linked
    else:
        scale = np.full(graph.n_atoms, unit**-0.5)
        diagonal = 1.0 - degree / unit
    weights *= (scale[graph.senders] * scale[graph.receivers] / 2.0).astype(np.float32)
    if wave is not None and wave.any():
        turned = phases(wave[None], graph.shifts)[0]
        weights = weights * turned.astype(np.result_type(turned.dtype, np.float32))
    places = (graph.senders.astype(np.int32), graph.receivers.astype(np.int32))
    half = coo_array((weights, places), shape=(graph.n_atoms, graph.n_atoms)).tocsr()
    whole = half + half.conj().T.tocsr()
    filled = np.flatnonzero(diagonal).astype(np.int32)
    if len(filled):
        entries = diagonal[filled].astype(weights.dtype)
        whole = whole + coo_array((entries, (filled, filled)), shape=whole.shape).tocsr()
    return csr_array(whole)


def degrees(graph: Graph, *, weighted: bool = False) -> Floats:
    """Sum of the weights of each atom's edges, shape (N,)."""
    weights = edge_weights(graph, weighted).astype(np.float32)
    found = np.bincount(graph.senders, weights, graph.n_atoms)
    found += np.bincount(graph.receivers, weights, graph.n_atoms)
    return np.asarray(found / 2.0)
