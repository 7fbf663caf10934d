"""Cumulative spectral densities in 16 bits: small in a file, and alike wherever they are compared.

A density is rounded before it is remembered and before it is compared, so that a training
structure lies at no distance from itself. The rounding moves a Wasserstein-1 distance by less
than 1e-5.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.spatial.distance import cdist

from farfield.graphs import coarse, nearest, wasserstein_table
from farfield.graphs.densities import GRID_POINTS, SPACING, nearest_rows

Floats = npt.NDArray[np.float64]
Codes = npt.NDArray[np.uint16]

FULL = 65535
OFFSET = 0.2718  # no ratio of small whole numbers lies at a place where the rounding jumps
BLOCK = 4  # grid points that make one cell of a local density
BLOCKS = GRID_POINTS // BLOCK


def coded(levels: npt.NDArray[np.floating]) -> Codes:
    """Levels in [0, 1] as whole numbers up to 65535, of the same shape."""
    codes: Codes = np.floor(np.clip(levels, 0.0, 1.0) * FULL + OFFSET).astype(np.uint16)
    return codes


def decoded(codes: npt.NDArray[np.generic]) -> Floats:
    """Levels in [0, 1] again."""
    return np.asarray(codes.astype(float) / FULL)


def blocks(levels: npt.NDArray[np.floating]) -> Codes:
    """Means over each four neighbouring grid points, coded: (..., 256) -> (..., 64)."""
    total = levels[..., ::BLOCK].copy()
    for place in range(1, BLOCK):
        total += levels[..., place::BLOCK]
    return coded(total / BLOCK)


def distances(first: npt.NDArray[np.generic], second: npt.NDArray[np.generic]) -> Floats:
    """Wasserstein-1 distances of M to K coded densities on the full grid, shape (M, K)."""
    return wasserstein_table(decoded(first), decoded(second))


def local_distances(first: npt.NDArray[np.generic], second: npt.NDArray[np.generic]) -> Floats:
    """The same between densities of :func:`blocks`; never more than on the full grid."""
    width = 2.0 / first.shape[-1]
    return np.asarray(cdist(decoded(first), decoded(second), "cityblock") * width)


def nearest_distances(first: npt.NDArray[np.generic], second: npt.NDArray[np.generic]) -> Floats:
    """The minimum of :func:`distances` over the second, shape (M,)."""
    return nearest(decoded(first), decoded(second))


def nearest_local_distances(
    first: npt.NDArray[np.generic], second: npt.NDArray[np.generic]
) -> Floats:
    """The minimum of :func:`local_distances` over the second, shape (M,)."""
    return np.asarray(nearest_rows(decoded(first), decoded(second)) * (2.0 / first.shape[-1]))


def coarse_blocks(codes: npt.NDArray[np.generic]) -> Codes:
    """Densities of :func:`blocks` as :func:`farfield.graphs.coarse_densities` gives them.

    The mean over four grid points shares an eigenvalue in proportion between the ends of a
    block, so these are the levels at the ends.
    """
    ends = np.pad(decoded(codes), ((0, 0), (0, 1)), constant_values=1.0)
    return blocks(coarse(ends, BLOCK * SPACING))
