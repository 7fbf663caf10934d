"""The matrix I - L of a large graph, sparse: O(edges) in time and memory."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.sparse import coo_array, csr_array

from farfield.graphs.laplacian import edge_weights, normalisation
from farfield.graphs.neighbours import Graph
from farfield.graphs.waves import phases

Floats = npt.NDArray[np.float64]


def propagator(graph: Graph, *, weighted: bool = False, wave: Floats | None = None) -> csr_array:
    """I - L = D^(-1/2) A D^(-1/2), shape (N, N), with eigenvalues in [-1, 1], in float32.

    An isolated atom has 1 on the diagonal: zero in L. With a ``wave`` vector other than zero,
    in reciprocal cell vectors, shape (3,), an edge carries its phase
    (:func:`farfield.graphs.bloch_laplacians`), and the matrix is Hermitian, in complex64 unless
    every phase is 1 or -1.
    """
    weights = edge_weights(graph, weighted).astype(np.float32)
    degree = np.bincount(graph.senders, weights, graph.n_atoms)
    degree += np.bincount(graph.receivers, weights, graph.n_atoms)
    linked, scale = normalisation(degree / 2.0)
    weights *= (scale[graph.senders] * scale[graph.receivers] / 2.0).astype(np.float32)
    if wave is not None and wave.any():
        turned = phases(wave[None], graph.shifts)[0]
        weights = weights * turned.astype(np.result_type(turned.dtype, np.float32))
    places = (graph.senders.astype(np.int32), graph.receivers.astype(np.int32))
    half = coo_array((weights, places), shape=(graph.n_atoms, graph.n_atoms)).tocsr()
    whole = half + half.conj().T.tocsr()
    alone = np.flatnonzero(linked == 0.0).astype(np.int32)
    if len(alone):
        ones = np.ones(len(alone), dtype=weights.dtype)
        whole = whole + coo_array((ones, (alone, alone)), shape=whole.shape).tocsr()
    return csr_array(whole)
