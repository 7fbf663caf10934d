"""One neighbour list seen within several radii: eigenvalues and cheap figures, graph by graph."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import final

import numpy as np
import numpy.typing as npt
from scipy.linalg.lapack import ssterf, ssytrd

from farfield.graphs.laplacian import ENVELOPE_POWER, envelope, normalisation
from farfield.graphs.neighbours import Graph

Floats = npt.NDArray[np.float64]

BLOCK = 32  # columns that LAPACK reduces together
ENVELOPE_TERMS = {  # the envelope as a sum over powers of the distance in cutoffs, beside one
    ENVELOPE_POWER: -(ENVELOPE_POWER + 1) * (ENVELOPE_POWER + 2) / 2,
    ENVELOPE_POWER + 1: ENVELOPE_POWER * (ENVELOPE_POWER + 2),
    ENVELOPE_POWER + 2: -ENVELOPE_POWER * (ENVELOPE_POWER + 1) / 2,
}


@final
class Within:
    """A graph whose edges count by the envelope that ends at a radius yet to be named.

    Parameters
    ----------
    graph
        It reaches the largest radius that will be asked for.
    """

    def __init__(self, graph: Graph) -> None:
        self.graph = graph

    def widths(self, radii: Sequence[float]) -> Floats:
        """Root mean square of the eigenvalues of I - L within each radius, shape (K,).

        No eigenvalue is computed: the trace of (I - L)² is a sum over edges, and an isolated
        atom has the eigenvalue one. For a crystal this is the mean over its wave vectors; for
        a graph with edges that only one of their atoms has, an approximation.
        """
        graph, count = self.graph, self.graph.n_atoms
        weights = envelope(graph.distances, np.asarray(radii)[:, None])  # (K, E)
        places = graph.senders + count * np.arange(len(radii))[:, None]
        degree = np.bincount(places.ravel(), weights.ravel(), count * len(radii))
        linked, scale = normalisation(degree)
        scale = scale.reshape(len(radii), count)
        weights *= scale[:, graph.senders]
        weights *= scale[:, graph.receivers]
        isolated = count - linked.reshape(len(radii), count).sum(axis=1)
        return np.asarray(np.sqrt((np.einsum("ke,ke->k", weights, weights) + isolated) / count))

    def coordinations(self, radii: Sequence[float]) -> Floats:
        """Mean sum of the weights of an atom's edges within each radius, shape (K,).

        It is the mean eigenvalue of D - A.
        """
        lengths, reach = np.sort(self.graph.distances), np.asarray(radii)
        shorter = np.searchsorted(lengths, reach)  # (K,)
        sums = shorter.astype(float)
        for power, factor in ENVELOPE_TERMS.items():  # one running sum serves all radii
            running = np.concatenate([[0.0], np.cumsum(lengths**power)])
            sums += factor * running[shorter] / reach**power
        found: Floats = sums / self.graph.n_atoms
        return found

    def eigenvalues(self, radius: float, *, normalised: bool = True) -> Floats:
        """Ascending eigenvalues of the weighted Laplacian of a molecule, shape (N,).

        In single precision, so right to about 1e-6 of the largest: enough to choose by, at a
        part of the time that :func:`farfield.graphs.spectrum` takes.
        """
        count = self.graph.n_atoms
        if count < 2:
            return np.zeros(count)
        weights, degree = self._weighted(radius)
        if normalised:
            degree, scale = normalisation(degree)
            weights = weights * scale[self.graph.senders] * scale[self.graph.receivers]
        entries = np.bincount(self._places, weights, count * count).astype(np.float32)
        entries *= np.float32(-0.5)  # each bond is two edges
        entries[:: count + 1] = degree
        matrix = entries.reshape(count, count).T  # in the order of Fortran, its upper triangle
        _, diagonal, beside, _, failed = ssytrd(
            matrix, lower=0, lwork=BLOCK * count, overwrite_a=True
        )
        values, unfinished = ssterf(diagonal, beside, overwrite_d=True, overwrite_e=True)
        if failed or unfinished:
            raise np.linalg.LinAlgError("the eigenvalues of a graph did not converge")
        found: Floats = np.maximum(values.astype(float), 0.0)
        return np.minimum(found, 2.0) if normalised else found

    def _weighted(self, radius: float) -> tuple[Floats, Floats]:
        """Weights of the edges, shape (E,), and degrees of the atoms, shape (N,)."""
        graph = self.graph
        weights = envelope(graph.distances, radius)
        degree = np.bincount(graph.senders, weights, graph.n_atoms)
        degree += np.bincount(graph.receivers, weights, graph.n_atoms)
        return weights, degree / 2.0

    @cached_property
    def _places(self) -> npt.NDArray[np.int64]:
        """Where each edge stands in the lower triangle, row by row, shape (E,)."""
        first, second = self.graph.senders, self.graph.receivers
        return np.asarray(np.maximum(first, second) * self.graph.n_atoms + np.minimum(first, second))
