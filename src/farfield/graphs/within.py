"""A graph within several radii, from one neighbour list: eigenvalues, and figures without them."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import final

import numpy as np
import numpy.typing as npt
from scipy.linalg.lapack import ssterf, ssytrd

from farfield.graphs.laplacian import ENVELOPE_POWER, envelope, normalisation
from farfield.graphs.neighbours import Graph
from farfield.graphs.spectra import is_large

Floats = npt.NDArray[np.float64]

FEW_ATOMS = 32  # up to which the matrices of all radii together are as quick as two or three
MOLECULE_DOUBT = 0.03  # by which share a guessed distance may be too high
CRYSTAL_DOUBT = 0.1  # within another radius a crystal has other wave vectors
BLOCK = 32  # columns that LAPACK reduces together
ENVELOPE_TERMS = {  # the envelope as a sum over powers of the distance in cutoffs, beside one
    ENVELOPE_POWER: -(ENVELOPE_POWER + 1) * (ENVELOPE_POWER + 2) / 2,
    ENVELOPE_POWER + 1: ENVELOPE_POWER * (ENVELOPE_POWER + 2),
    ENVELOPE_POWER + 2: -ENVELOPE_POWER * (ENVELOPE_POWER + 1) / 2,
}


@final
class Within:
    """A graph within radii yet to be named; edges count by the envelope that ends there.

    Parameters
    ----------
    graph
        It reaches the largest radius that will be asked for.
    """

    def __init__(self, graph: Graph) -> None:
        self.graph = graph

    @property
    def is_molecule(self) -> bool:
        """Whether :meth:`eigenvalues` and :meth:`spectra` are to be had."""
        return not any(self.graph.pbc) and not is_large(self.graph)

    @property
    def is_small(self) -> bool:
        """Whether :meth:`spectra` of all radii cost no more than a few :meth:`eigenvalues`."""
        return self.is_molecule and self.graph.n_atoms <= FEW_ATOMS

    @property
    def doubt(self) -> float:
        """What :func:`farfield.graphs.radius_search.search` allows for."""
        return MOLECULE_DOUBT if self.is_molecule else CRYSTAL_DOUBT

    def widths(self, radii: Sequence[float]) -> Floats:
        """Root mean square of the eigenvalues of I - L within each radius, shape (K,).

        No eigenvalue is computed: the trace of (I - L)² is a sum over edges, and an isolated
        atom has the eigenvalue one. For a crystal this is the mean over its wave vectors; for
        a graph with edges that only one of their atoms has, an approximation.
        """
        weights, diagonal = self._edges(radii)
        isolated = self.graph.n_atoms - diagonal.sum(axis=1)
        squares = np.einsum("ke,ke->k", weights, weights) + isolated
        return np.asarray(np.sqrt(squares / self.graph.n_atoms))

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

    def spectra(
        self, radii: Sequence[float], *, normalised: bool = True, weighted: bool = True
    ) -> Floats:
        """:meth:`eigenvalues` within each radius, shape (K, N)."""
        if self.graph.n_atoms > FEW_ATOMS:
            each = [self.eigenvalues(r, normalised=normalised, weighted=weighted) for r in radii]
            return np.stack(each)
        triangles = self._triangles(radii, normalised, weighted)
        return _inside(np.linalg.eigvalsh(triangles, UPLO="L"), normalised)

    def eigenvalues(
        self, radius: float, *, normalised: bool = True, weighted: bool = True
    ) -> Floats:
        """Ascending eigenvalues of the Laplacian of a molecule, shape (N,).

        In single precision, so right to a few 1e-6 of the largest: enough to choose by, at a
        part of the time that :func:`farfield.graphs.spectrum` takes.
        """
        count = self.graph.n_atoms
        if count < 2:
            return np.zeros(count)
        matrix = self._triangles([radius], normalised, weighted)[0].astype(np.float32)
        _, diagonal, beside, _, failed = ssytrd(  # in the order of Fortran, the upper triangle
            matrix.T, lower=0, lwork=BLOCK * count, overwrite_a=True
        )
        values, unfinished = ssterf(diagonal, beside, overwrite_d=True, overwrite_e=True)
        if failed or unfinished:
            raise np.linalg.LinAlgError("the eigenvalues of a graph did not converge")
        return _inside(values.astype(float), normalised)

    def _triangles(self, radii: Sequence[float], normalised: bool, weighted: bool) -> Floats:
        """Laplacians, of which the lower triangles are filled, shape (K, N, N)."""
        count = self.graph.n_atoms
        weights, diagonal = self._edges(radii, normalised, weighted)
        places = self._places + count**2 * np.arange(len(radii))[:, None]
        weights *= -0.5  # each bond is two edges
        entries = np.bincount(places.ravel(), weights.ravel(), len(radii) * count**2)
        matrices = entries.astype(float, copy=False).reshape(len(radii), count**2)
        matrices[:, :: count + 1] = diagonal
        return matrices.reshape(len(radii), count, count)

    def _edges(
        self, radii: Sequence[float], normalised: bool = True, weighted: bool = True
    ) -> tuple[Floats, Floats]:
        """Entries of I - L, or of A, by edge, (K, E), and the diagonal of L, or of D, (K, N)."""
        graph, reach = self.graph, np.asarray(radii)[:, None]
        if weighted:
            weights = envelope(graph.distances, reach)
        else:
            weights = (graph.distances < reach).astype(float)
        rows = graph.n_atoms * np.arange(len(radii))[:, None]
        total = graph.n_atoms * len(radii)
        out = np.bincount((graph.senders + rows).ravel(), weights.ravel(), total)
        back = np.bincount((graph.receivers + rows).ravel(), weights.ravel(), total)
        degree: Floats = (out + back) / 2.0
        if not normalised:
            return weights, degree.reshape(len(radii), -1)
        linked, scale = normalisation(degree)
        scale = scale.reshape(len(radii), -1)
        weights *= np.take(scale, graph.senders, axis=1)
        weights *= np.take(scale, graph.receivers, axis=1)
        return weights, linked.reshape(len(radii), -1)

    @cached_property
    def _places(self) -> npt.NDArray[np.int64]:
        """Where each edge stands in the lower triangle, row by row, shape (E,)."""
        first, second = self.graph.senders, self.graph.receivers
        return np.asarray(
            np.maximum(first, second) * self.graph.n_atoms + np.minimum(first, second)
        )


def _inside(values: npt.NDArray[np.floating], normalised: bool) -> Floats:
    """Eigenvalues without what rounding took out of their range."""
    found: Floats = np.clip(values, 0.0, 2.0 if normalised else None)
    return found
