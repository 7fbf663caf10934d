"""Cumulative spectral densities on a fixed grid, and the Wasserstein-1 distance between them."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.spatial.distance import cdist

Floats = npt.NDArray[np.float64]

GRID_POINTS = 256
GRID = np.linspace(0.0, 2.0, GRID_POINTS)
SPACING = float(GRID[1] - GRID[0])
BLOCKS = (16, 48)  # blocks of columns, in bounds of a distance


def cumulative(values: Floats, weights: Floats | None = None) -> Floats:
    """Cumulative spectral density on the grid.

    Parameters
    ----------
    values
        Eigenvalues in [0, 2], shape (N,), or (B, N) of B graphs.
    weights
        Shape (..., N), or (B, M, N), each row summing to one; None weighs all alike.

    Returns
    -------
    The shape of ``weights``, or of ``values``, with GRID_POINTS in place of N. Each
    eigenvalue is shared between its two neighbouring grid points in proportion, which keeps
    the mean exact.
    """
    if weights is None or weights.ndim == 1:
        return _cumulative(values, weights)
    place = (values / SPACING)[..., None]  # in grid spacings
    steps = np.clip(np.arange(1, GRID_POINTS + 1, dtype=values.dtype) - place, 0.0, 1.0)
    return np.asarray(weights @ steps)  # (..., N) @ (N, grid)


def _cumulative(values: Floats, weights: Floats | None) -> Floats:
    """The same with weights alike for all graphs, without an array of (N, GRID_POINTS)."""
    count = values.shape[-1]
    place = values.reshape(-1, count) / SPACING
    below = place.astype(np.intp)
    above = place - below
    if weights is not None:
        above *= count * weights
    rest = (1.0 if weights is None else count * weights) - above
    bins = GRID_POINTS + 1  # the last takes nothing of an eigenvalue at the end of the grid
    below += bins * np.arange(len(place))[:, None]
    masses = np.bincount(below.ravel(), rest.ravel(), bins * len(place))
    masses += np.bincount(below.ravel() + 1, above.ravel(), bins * len(place))
    masses = masses.reshape(len(place), bins)[:, :GRID_POINTS]
    levels: Floats = masses.cumsum(axis=1) / count
    return levels.reshape(*values.shape[:-1], GRID_POINTS)


def quantiles(levels: Floats, count: int) -> Floats:
    """The ``count`` eigenvalues, ascending, that a cumulative density stands for."""
    wanted = (np.arange(count) + 0.5) / count
    return np.asarray(np.interp(wanted, levels, GRID))


def wasserstein(first: Floats, second: Floats) -> Floats:
    """Wasserstein-1 distance between cumulative densities along the last axis."""
    return np.asarray(np.abs(first - second)[..., :-1].sum(axis=-1) * SPACING)


def wasserstein_table(first: Floats, second: Floats) -> Floats:
    """Wasserstein-1 distances of M to K cumulative densities, shape (M, K).

    The same as :func:`wasserstein` of all pairs, without an array of (M, K, GRID_POINTS).
    """
    return np.asarray(cdist(first[:, :-1], second[:, :-1], "cityblock") * SPACING)


def nearest(first: Floats, second: Floats) -> Floats:
    """Wasserstein-1 distance of each of M cumulative densities to the nearest of K, shape (M,).

    The minimum of :func:`wasserstein_table`, for less work.
    """
    return nearest_rows(first[:, :-1], second[:, :-1]) * SPACING


def nearest_rows(first: Floats, second: Floats) -> Floats:
    """Smallest sum of absolute differences of each of M rows to one of K, shape (M,).

    The difference of two sums over a block of columns is no larger than the sum of the
    differences. Rows whose bound exceeds a distance already found are left out, by wide
    blocks and then by narrower ones.
    """
    wide, narrow = ((_summed(first, count), _summed(second, count)) for count in BLOCKS)
    bounds = cdist(*wide, "cityblock")  # (M, K)
    best = bounds.argmin(axis=1)
    found = _paired(first, second, np.arange(len(first)), best)
    bounds[np.arange(len(first)), best] = np.inf
    rows, columns = np.nonzero(bounds < found[:, None])
    left = _paired(narrow[0], narrow[1], rows, columns) < found[rows]
    rows, columns = rows[left], columns[left]
    np.minimum.at(found, rows, _paired(first, second, rows, columns))
    return found


def _summed(rows: Floats, count: int) -> Floats:
    """Sums over about ``count`` blocks of columns."""
    steps = range(0, rows.shape[1], -(-rows.shape[1] // count))
    return np.asarray(np.add.reduceat(rows, steps, axis=1))


def _paired(
    first: Floats, second: Floats, rows: npt.NDArray[np.intp], columns: npt.NDArray[np.intp]
) -> Floats:
    """Sums of differences of pairs of rows, in pieces that fit a cache."""
    found = np.empty(len(rows))
    for start in range(0, len(rows), 1024):
        part = slice(start, start + 1024)
        found[part] = np.abs(first[rows[part]] - second[columns[part]]).sum(axis=1)
    return found
