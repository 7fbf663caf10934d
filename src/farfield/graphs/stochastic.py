"""The spectral density of a large graph by stochastic Lanczos quadrature, in O(edges).

For a vector v of random signs, k steps of the Lanczos recursion with I - L give k nodes and
weights that reproduce the moments v'(I - L)^m v up to m = 2k - 1; their mean over vectors is
that of the density of the graph, since the mean of v v' is the identity (Golub & Meurant,
*Matrices, Moments and Quadrature*, 2010; Chen, Trogdon & Ubaru, arXiv 2105.06595). The error
has two parts: the *standard error* falls with the square root of atoms times vectors, and the
*resolution* with the steps. The Wasserstein-1 distance between two densities with the same
2k - 1 moments is at most π / 2k, twice what Jackson's theorem says of the best polynomial for a
function of slope one; it is some ten times smaller on molecules and crystals.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_array

from farfield.graphs.densities import SPACING, cumulative, wasserstein
from farfield.graphs.neighbours import Graph
from farfield.graphs.sparse import degrees, propagator
from farfield.graphs.waves import wave_vectors

Floats = npt.NDArray[np.float64]

STEPS = 100
SAMPLES = 128_000  # atoms times vectors
LEAST_VECTORS, MOST_VECTORS = 4, 128


@dataclass(frozen=True)
class Estimate:
    """An estimated cumulative spectral density.

    Attributes
    ----------
    levels
        On the grid of :mod:`farfield.graphs.densities`, shape (GRID_POINTS,).
    standard_error
        What the choice of random vectors leaves open: the standard error of each level,
        summed over the grid, in units of the Wasserstein-1 distance.
    resolution
        What the number of steps leaves open: the distance to the density after half of them.
    vectors, steps
        Number of random vectors, and of Lanczos steps with each.
    unit
        In which the eigenvalues of the unnormalised Laplacian are on the grid.
    """

    levels: Floats
    standard_error: float
    resolution: float
    vectors: int
    steps: int
    unit: float = 1.0

    @property
    def error(self) -> float:
        """By how much a Wasserstein-1 distance from this density may be wrong."""
        return 2.0 * self.standard_error + self.resolution


def estimate(
    graph: Graph,
    *,
    weighted: bool = False,
    normalised: bool = True,
    bloch: bool = True,
    seed: int = 0,
    steps: int = STEPS,
    samples: int = SAMPLES,
) -> Estimate:
    """Estimate the cumulative spectral density of a graph's Laplacian.

    Parameters
    ----------
    graph
        The graph, of any size.
    weighted
        Whether edges count by their envelope.
    normalised
        Whether it is the density of L; otherwise that of D - A, in units of the largest degree.
    bloch
        Whether a cell narrower than two cutoffs stands for its crystal, as in
        :func:`farfield.graphs.spectral_density`. Otherwise it is a graph of its own.
    seed
        Of the random signs. They go with the number of an atom, so that the same structure in
        another order of its atoms has the same density to the standard error, not to rounding.
    steps
        Lanczos steps.
    samples
        Atoms times vectors to reach, with 4 to 128 vectors.
    """
    waves, shares = wave_vectors(graph) if bloch else (np.zeros((1, 3)), np.ones(1))
    count = int(np.clip(samples // (graph.n_atoms * len(shares)), LEAST_VECTORS, MOST_VECTORS))
    rng = np.random.default_rng(seed)
    unit = None if normalised else float(degrees(graph, weighted=weighted).max()) or 1.0
    found, halves = [], []
    for wave in waves:
        matrix = propagator(graph, weighted=weighted, wave=wave, unit=unit)
        signs = rng.integers(0, 2, (graph.n_atoms, count), dtype=np.int8) * np.float32(2) - 1
        diagonal, beside = lanczos(matrix, signs.astype(matrix.dtype), steps)
        found.append(levels_of(diagonal, beside))  # (count, grid)
        halves.append(levels_of(diagonal[:, : steps // 2], beside[:, : steps // 2 - 1]))
    each = np.tensordot(shares, found, axes=1)  # (count, grid)
    levels = each.mean(axis=0)
    # The parts that differ by their wave vector are independent.
    errors = np.tensordot(shares**2, np.var(found, axis=1, ddof=1), axes=1) / count
    coarse = np.tensordot(shares, halves, axes=1).mean(axis=0)
    return Estimate(
        levels=levels,
        standard_error=float(np.sqrt(errors).sum() * SPACING),
        resolution=float(wasserstein(levels, coarse)),
        vectors=count * len(shares),
        steps=steps,
        unit=1.0 if unit is None else unit,
    )


def lanczos(matrix: csr_array, start: npt.NDArray[np.inexact], steps: int) -> tuple[Floats, Floats]:
    """Lanczos recursion from each column of ``start``, shape (N, R).

    Returns
    -------
    Diagonals, shape (R, steps), and the elements beside them, shape (R, steps - 1), of R
    tridiagonal matrices. A column that has spanned all it can reach stays at zeros, which
    have no weight in :func:`levels_of`. Vectors are not made orthogonal again: that would
    only remove copies of eigenvalues, which share their weight (Greenbaum 1989).
    """
    least = 10.0 * float(np.finfo(matrix.dtype).eps)
    vector = start / np.sqrt(_products(start, start)).astype(start.real.dtype)
    before = np.zeros_like(vector)
    length = np.zeros(start.shape[1])
    diagonal, beside = np.zeros((2, start.shape[1], steps))
    for step in range(steps):
        following = matrix @ vector
        following -= before * length.astype(before.real.dtype)
        diagonal[:, step] = _products(vector, following)
        following -= vector * diagonal[:, step].astype(before.real.dtype)
        length = np.sqrt(_products(following, following))
        length[length < least] = 0.0
        beside[:, step] = length
        inverse = np.divide(1.0, length, out=np.zeros_like(length), where=length > 0)
        before, vector = vector, following
        vector *= inverse.astype(before.real.dtype)
    return diagonal, beside[:, :-1]


def levels_of(diagonal: Floats, beside: Floats) -> Floats:
    """Cumulative densities of R Lanczos recursions with I - L, shape (R, GRID_POINTS)."""
    count, steps = diagonal.shape
    matrices = np.zeros((count, steps, steps))
    along = np.arange(steps)
    matrices[:, along, along] = diagonal
    matrices[:, along[1:], along[:-1]] = beside
    nodes, vectors = np.linalg.eigh(matrices)  # looks at the lower triangle
    values = np.clip(1.0 - nodes, 0.0, 2.0)
    return cumulative(values, vectors[:, :1] ** 2)[:, 0]


def _products(first: npt.NDArray[np.inexact], second: npt.NDArray[np.inexact]) -> Floats:
    """Real parts of the inner products of columns, shape (R,)."""
    if np.iscomplexobj(first):
        return _products(first.real, second.real) + _products(first.imag, second.imag)
    return np.asarray(np.sum(first * second, axis=0, dtype=np.float64))
