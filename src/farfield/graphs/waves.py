"""Wave vectors at which a crystal is described.

The Laplacian of a supercell of n cells falls into n matrices of the size of one cell, in which
an edge to an image at the lattice vector S carries the phase exp(2πi k·S) (Bloch's theorem).
A cell stands for its crystal by the mean over the wave vectors of n x n x n cells. This mesh
belongs to the lattice and not to the vectors that happen to span it, and is exact for closed
walks that wind round the crystal fewer than n times. It is as fine as is cheap.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from ase.geometry import minkowski_reduce

from farfield.graphs.neighbours import Graph

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

FINEST = 12  # wave vectors along each direction
MOST_WORK = 1e5  # atoms squared times pairs of wave vectors
LEAST_WIDTH = 2.0  # in cutoffs, of n cells: no closed walk of two edges then winds round


def wave_vectors(graph: Graph) -> tuple[Floats, Floats]:
    """Wave vectors in reciprocal cell vectors, and the share of each.

    Directions in which the mesh would be narrower than two cutoffs have more; only large cells
    that are thin have such. Of the pair k and -k, with the same eigenvalues, one is returned.

    Returns
    -------
    Shapes (K, 3) and (K,), the shares with the sum one. A structure that is not periodic, or
    has no edge, has one wave vector that is zero.
    """
    periodic = np.flatnonzero(graph.pbc)
    if not len(periodic) or not graph.n_edges:
        return np.zeros((1, 3)), np.ones(1)
    finest = (2.0 * MOST_WORK / graph.n_atoms**2) ** (1.0 / len(periodic))
    count = int(np.clip(finest, 1, FINEST))
    basis = _reduced(graph.cell[periodic])  # rows in units of the cell
    widths = 1.0 / np.linalg.norm(np.linalg.pinv(basis @ graph.cell[periodic]), axis=0)
    needed = np.ceil(LEAST_WIDTH * graph.cutoff / widths - 1e-6).astype(np.int64)
    mesh = np.maximum(needed, count)
    steps = np.stack(np.meshgrid(*map(np.arange, mesh), indexing="ij"), axis=-1)
    steps = steps.reshape(-1, len(mesh))
    place, opposite = (np.ravel_multi_index(tuple((s % mesh).T), mesh) for s in (steps, -steps))
    kept = place <= opposite
    waves = np.zeros((int(kept.sum()), 3))
    waves[:, periodic] = steps[kept] / mesh @ np.linalg.inv(basis).T % 1.0
    return waves, np.where(place < opposite, 2.0, 1.0)[kept] / len(steps)


def phases(waves: Floats, hops: Ints) -> npt.NDArray[np.float64] | npt.NDArray[np.complex128]:
    """exp(2πi k·S) of K wave vectors and H lattice vectors, shape (K, H); real where all are."""
    turns = waves @ hops.T
    if np.array_equal(2.0 * waves, np.round(2.0 * waves)):
        return np.asarray(1.0 - 2.0 * (np.round(2.0 * turns) % 2.0))
    return np.asarray(np.exp(2j * np.pi * turns))


def _reduced(vectors: Floats) -> Ints:
    """The shortest vectors that span a lattice, in units of the given ones, shape (P, P)."""
    count = len(vectors)
    if count == 1:
        return np.ones((1, 1), dtype=np.int64)
    cell = np.zeros((3, 3))
    cell[:count] = vectors
    if count == 2:
        cell[2] = np.cross(*vectors)
    operation = minkowski_reduce(cell, pbc=np.arange(3) < count)[1]
    return np.asarray(operation[:count, :count], dtype=np.int64)
