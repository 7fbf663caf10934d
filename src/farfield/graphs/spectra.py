"""Spectra of graph Laplacians, and distances between them.

Two descriptions of a spectrum are used. The *sorted vector* of its N eigenvalues, padded
with zeros, is the one of Kreiman & Krishnapriyan (arXiv 2503.08674); it changes with the
number of atoms. The *cumulative spectral density* does not: it is sampled on a fixed grid
over [0, 2], and the area between two of them is the Wasserstein-1 distance.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.spatial.distance import cdist

from farfield.graphs.laplacian import bloch_laplacians, laplacian
from farfield.graphs.neighbours import Graph

Floats = npt.NDArray[np.float64]

GRID_POINTS = 256
GRID = np.linspace(0.0, 2.0, GRID_POINTS)
SPACING = float(GRID[1] - GRID[0])


def spectrum(graph: Graph, *, weighted: bool = False) -> Floats:
    """Eigenvalues of the normalised Laplacian in ascending order, shape (N,).

    Of a small periodic cell these are few, and a supercell has others beside them:
    :func:`local_spectrum` describes the crystal rather than the cell.
    """
    return _clipped(np.linalg.eigvalsh(laplacian(graph, weighted=weighted)))


def local_spectrum(graph: Graph, *, weighted: bool = False) -> tuple[Floats, Floats]:
    """M eigenvalues, shape (M,), and each atom's share in each eigenvector, shape (N, M).

    Row i of the second array holds the weights of atom i and sums to one; averaged over
    the atoms, the local densities give the density of the whole graph. M is N for a
    molecule; small periodic cells have N eigenvalues at each of several wave vectors
    (:func:`farfield.graphs.bloch_laplacians`).
    """
    matrices, shares = bloch_laplacians(graph, weighted=weighted)
    values, vectors = np.linalg.eigh(matrices)  # (K, N), (K, N, N)
    weights = shares[:, None, None] * np.abs(vectors) ** 2
    return _clipped(values.ravel()), np.hstack(list(weights))


def spectral_density(graph: Graph, *, weighted: bool = False) -> Floats:
    """Cumulative spectral density of the whole graph on the grid, shape (GRID_POINTS,).

    The mean over the atoms of what :func:`local_spectrum` gives, without eigenvectors.
    """
    matrices, shares = bloch_laplacians(graph, weighted=weighted)
    values = _clipped(np.linalg.eigvalsh(matrices))  # (K, N)
    weights = np.repeat(shares / graph.n_atoms, graph.n_atoms)  # (K N,)
    levels: Floats = cumulative(values.ravel(), weights[None])[0]
    return levels


def _clipped(values: npt.NDArray[np.floating]) -> Floats:
    inside: Floats = np.clip(values, 0.0, 2.0)  # rounding may leave the interval by 1e-16
    return inside


def share_near_one(values: Floats) -> float:
    """Share of eigenvalues in [0.9, 1.1], the scalar by which the paper shows connectivity."""
    return float(np.mean((values >= 0.9) & (values <= 1.1)))


def cumulative(values: Floats, weights: Floats | None = None) -> Floats:
    """Cumulative spectral density on the grid.

    Parameters
    ----------
    values
        Eigenvalues in [0, 2], shape (N,).
    weights
        Shape (..., N), each row summing to one; None weighs all eigenvalues alike.

    Returns
    -------
    Shape (GRID_POINTS,), or (..., GRID_POINTS) with weights. Each eigenvalue is shared
    between its two neighbouring grid points in proportion, which keeps the mean exact.
    """
    place = values / SPACING
    left = np.minimum(place.astype(int), GRID_POINTS - 2)
    right_share = place - left
    if weights is None:
        density = np.bincount(left, 1.0 - right_share, GRID_POINTS)
        density += np.bincount(left + 1, right_share, GRID_POINTS)
        return np.asarray(np.cumsum(density / len(values)))
    shared = np.zeros((len(values), GRID_POINTS))
    rows = np.arange(len(values))
    shared[rows, left] = 1.0 - right_share
    shared[rows, left + 1] = right_share
    return np.asarray(np.cumsum(weights @ shared, axis=-1))  # (..., N) @ (N, grid)


def wasserstein(first: Floats, second: Floats) -> Floats:
    """Wasserstein-1 distance between cumulative densities along the last axis."""
    return np.asarray(np.abs(first - second)[..., :-1].sum(axis=-1) * SPACING)


def wasserstein_table(first: Floats, second: Floats) -> Floats:
    """Wasserstein-1 distances of M to K cumulative densities, shape (M, K).

    The same as :func:`wasserstein` of all pairs, without an array of (M, K, GRID_POINTS).
    """
    return np.asarray(cdist(first[:, :-1], second[:, :-1], "cityblock") * SPACING)


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
