"""Spectra of graph Laplacians, and the paper's distance between them.

Two descriptions of a spectrum are used. The *sorted vector* of its N eigenvalues, padded
with zeros, is the one of Kreiman & Krishnapriyan (arXiv 2503.08674); it changes with the
number of atoms. The *cumulative spectral density* does not
(:mod:`farfield.graphs.densities`). Up to EXACT_ATOMS atoms all eigenvalues are computed, from
dense matrices; the density of a larger graph is estimated (:mod:`farfield.graphs.stochastic`),
and its sorted vector is what that density stands for.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from farfield.graphs.densities import cumulative, quantiles
from farfield.graphs.laplacian import adjacency, bloch_laplacians, laplacian
from farfield.graphs.neighbours import Graph
from farfield.graphs.primitive import primitive
from farfield.graphs.stochastic import estimate

Floats = npt.NDArray[np.float64]

EXACT_ATOMS = 1000
SEARCHED_ATOMS = 100_000  # a perfect crystal is searched for its smallest cell for 20 s


def is_large(graph: Graph) -> bool:
    """Whether the graph is too large for dense matrices."""
    return graph.n_atoms > EXACT_ATOMS


def spectrum(graph: Graph, *, weighted: bool = False) -> Floats:
    """Eigenvalues of the normalised Laplacian in ascending order, shape (N,).

    Of a large graph, those that its estimated density stands for. Of a small periodic cell
    these are few, and a supercell has others beside them: :func:`local_spectrum` describes
    the crystal rather than the cell.
    """
    if is_large(graph):
        return quantiles(estimate(graph, weighted=weighted, bloch=False).levels, graph.n_atoms)
    return clipped(np.linalg.eigvalsh(laplacian(graph, weighted=weighted)))


def local_spectrum(graph: Graph, *, weighted: bool = False) -> tuple[Floats, Floats]:
    """M eigenvalues, shape (M,), and each atom's share in each eigenvector, shape (N, M).

    Row i of the second array holds the weights of atom i and sums to one; averaged over
    the atoms, the local densities give the density of the whole graph. M is N for a
    molecule; a crystal has the n eigenvalues of its :func:`farfield.graphs.primitive` cell at
    each of several wave vectors (:func:`farfield.graphs.bloch_laplacians`), so that a cell and
    its repetitions are described alike. For graphs of up to EXACT_ATOMS atoms; time grows as
    N³, memory as N².
    """
    cell, places = primitive(graph)
    matrices, shares = bloch_laplacians(cell, weighted=weighted)
    values, vectors = np.linalg.eigh(matrices)  # (K, n), (K, n, n)
    weights = shares[:, None, None] * np.abs(vectors) ** 2
    return clipped(values.ravel()), np.hstack(list(weights))[places]


def spectral_density(graph: Graph, *, weighted: bool = False) -> Floats:
    """Cumulative spectral density of the whole graph on the grid, shape (GRID_POINTS,).

    The mean over the atoms of what :func:`local_spectrum` gives, without eigenvectors; of a
    crystal whose smallest cell is large too, an estimate.
    """
    return density_with_error(graph, weighted=weighted)[0]


def density_with_error(graph: Graph, *, weighted: bool = False) -> tuple[Floats, float | None]:
    """The :func:`spectral_density`, and by how much a distance from it may be wrong.

    The error is None where the density is exact.
    """
    cell = smallest_cell(graph)
    if is_large(cell):
        found = estimate(cell, weighted=weighted)
        return found.levels, found.error
    matrices, shares = bloch_laplacians(cell, weighted=weighted)
    values = clipped(np.linalg.eigvalsh(matrices))  # (K, n)
    weights = np.repeat(shares / cell.n_atoms, cell.n_atoms)  # (K n,)
    return cumulative(values.ravel(), weights), None


def unnormalised_quantiles(graph: Graph, count: int) -> Floats:
    """The ``count`` quantiles of the eigenvalues of D − A, edges weighted, shape (count,).

    Of a crystal, not of its cell; where the smallest cell is large, an estimate.
    """
    cell = smallest_cell(graph)
    if is_large(cell):
        found = estimate(cell, weighted=True, normalised=False)
        return quantiles(found.levels, count) * found.unit
    matrices, shares = bloch_laplacians(cell, weighted=True)
    roots = np.sqrt(adjacency(cell, weighted=True).sum(axis=1))
    values = np.linalg.eigvalsh(roots[:, None] * matrices * roots[None, :])  # (K, n)
    order = np.argsort(values, axis=None)
    below = np.cumsum(np.repeat(shares / cell.n_atoms, cell.n_atoms)[order])
    wanted = (np.arange(count) + 0.5) / count
    places = np.minimum(np.searchsorted(below, wanted - 1e-9), len(order) - 1)
    return np.maximum(values.ravel()[order[places]], 0.0)


def smallest_cell(graph: Graph) -> Graph:
    """The graph of the :func:`farfield.graphs.primitive` cell, which a huge one is taken for."""
    return primitive(graph)[0] if graph.n_atoms <= SEARCHED_ATOMS else graph


def clipped(values: npt.NDArray[np.floating]) -> Floats:
    """Eigenvalues in [0, 2], which rounding may leave by 1e-16."""
    inside: Floats = np.clip(values, 0.0, 2.0)
    return inside


def share_near_one(values: Floats) -> float:
    """Share of eigenvalues in [0.9, 1.1], the scalar by which the paper shows connectivity."""
    return np.count_nonzero((values >= 0.9) & (values <= 1.1)) / len(values)


def padded(values: Floats, length: int) -> Floats:
    """The sorted eigenvalues, padded in front with zeros to ``length``, so still sorted.

    A longer spectrum is returned as it is: no eigenvalue is ever dropped.
    """
    return np.concatenate([np.zeros(max(0, length - len(values))), values])


def padded_distance(values: Floats, mean: Floats) -> float:
    """Squared L2 distance between sorted spectra, the shorter one padded with zeros.

    This is the distance of arXiv 2503.08674, with the padding kept in sorted order (in
    the published script it comes after the sort, which un-sorts the vector).
    """
    length = max(len(values), len(mean))
    return float(np.sum((padded(values, length) - padded(mean, length)) ** 2))
