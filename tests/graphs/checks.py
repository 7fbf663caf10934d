"""What a graph and its spectra must fulfil; each check is shown to fail on a planted bug.

Everything is called through the package (``graphs.spectrum``), so that a bug planted there
is met.
"""

from __future__ import annotations

import numpy as np
from ase import Atoms
from ase.build import make_supercell
from ase.neighborlist import neighbor_list
from numpy.testing import assert_allclose, assert_array_equal
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from farfield import graphs
from farfield.graphs import Graph

ZERO = 1e-7  # an eigenvalue below this is a zero
NEGLIGIBLE = 1e-12  # a degree below this is none
ROUNDING = 1e-7  # of densities: eigenvalues at zero are known to the root of 1e-16
EXACT = 1e-9  # rounding of distances, degrees, eigenvalues and moments


def random_structure(seed: int, count: int = 6, pbc: tuple[bool, ...] = (True,) * 3) -> Atoms:
    """``count`` atoms at random in a slanted cell of 3 to 5 Å."""
    rng = np.random.default_rng(seed)
    cell = np.diag(rng.uniform(3.0, 5.0, 3)) + rng.uniform(-0.8, 0.8, (3, 3))
    numbers = rng.choice([1, 6, 8], count)
    return Atoms(numbers, scaled_positions=rng.random((count, 3)), cell=cell, pbc=pbc)


def edges_of(senders, receivers, shifts) -> np.ndarray:
    """Edges as sorted rows (sender, receiver, shift), shape (E, 5)."""
    rows = np.column_stack([senders, receivers, shifts])
    return rows[np.lexsort(rows.T[::-1])]


def check_edges(atoms: Atoms, cutoff: float) -> None:
    """Each edge is there once, with its image and its distance, as ASE finds it."""
    graph = graphs.neighbour_graph(atoms, cutoff)
    first, second, distances, shifts = neighbor_list("ijdS", atoms, cutoff)
    assert_array_equal(
        edges_of(graph.senders, graph.receivers, graph.shifts), edges_of(first, second, shifts)
    )
    assert_allclose(np.sort(graph.distances), np.sort(distances), atol=EXACT)
    vectors = atoms.positions[graph.receivers] - atoms.positions[graph.senders]
    vectors = vectors + graph.shifts @ np.asarray(atoms.cell)
    assert_allclose(np.linalg.norm(vectors, axis=1), graph.distances, atol=EXACT)


def check_both_ways(atoms: Atoms, cutoff: float) -> None:
    """Each edge has its reverse."""
    graph = graphs.neighbour_graph(atoms, cutoff)
    assert_array_equal(
        edges_of(graph.senders, graph.receivers, graph.shifts),
        edges_of(graph.receivers, graph.senders, -graph.shifts),
    )


def check_laplacian(graph: Graph, *, weighted: bool) -> None:
    """It is symmetric, and its eigenvalues are real, in [0, 2], and the spectrum."""
    matrix = graphs.laplacian(graph, weighted=weighted)
    assert_allclose(matrix, matrix.T, atol=EXACT)
    values = np.linalg.eigvals(matrix)  # any matrix's: looks at both triangles
    assert_allclose(values.imag, 0.0, atol=EXACT)
    assert values.real.min() > -EXACT
    assert values.real.max() < 2.0 + EXACT
    assert_allclose(np.sort(values.real), graphs.spectrum(graph, weighted=weighted), atol=ZERO)


def check_components(atoms: Atoms, cutoff: float) -> None:
    """There are N eigenvalues, and as many zeros as parts, isolated atoms included."""
    values = graphs.spectrum(graphs.neighbour_graph(atoms, cutoff))
    first, second = neighbor_list("ij", atoms, cutoff)
    links = coo_array((np.ones(len(first)), (first, second)), shape=(len(atoms), len(atoms)))
    assert len(values) == len(atoms)
    assert np.sum(values < ZERO) == connected_components(links)[0]


def check_padding(atoms: Atoms, cutoff: float, count: int) -> None:
    """Padding by ``count`` is what ``count`` isolated atoms do to the sorted spectrum."""
    values = graphs.spectrum(graphs.neighbour_graph(atoms, cutoff))
    reach = np.abs(atoms.positions).max() + 10.0 * cutoff
    far = [[reach * (index + 1), 0.0, 0.0] for index in range(count)]
    larger = graphs.spectrum(
        graphs.neighbour_graph(atoms + Atoms(f"He{count}", positions=far), cutoff)
    )
    assert len(larger) == len(values) + count
    assert_allclose(graphs.padded(values, len(larger)), larger, atol=ZERO)
    assert graphs.padded_distance(values, larger) < ZERO
    assert graphs.padded_distance(larger, values) < ZERO


def check_degrees(atoms: Atoms, cutoff: float, repeats: tuple[int, int, int]) -> None:
    """Atoms have the same degree, plain and weighted, in a cell and in its supercell."""
    for weighted in (False, True):
        degrees = [
            graphs.adjacency(graphs.neighbour_graph(cell, cutoff), weighted=weighted).sum(axis=1)
            for cell in (atoms, atoms.repeat(repeats))
        ]
        assert_allclose(np.tile(degrees[0], int(np.prod(repeats))), degrees[1], atol=EXACT)


def check_moments(atoms: Atoms, cutoff: float, repeats: tuple[int, int, int]) -> None:
    """Mean and variance of each atom's local density are the crystal's, not the cell's.

    They count the closed walks of the infinite crystal of one edge, of which there is none, and
    of two: to each neighbour and back.
    """
    for weighted in (False, True):
        moments = []
        for cell in (atoms, atoms.repeat(repeats)):
            graph = graphs.neighbour_graph(cell, cutoff)
            values, weights = graphs.local_spectrum(graph, weighted=weighted)
            mean, second = weights @ values, weights @ values**2
            strength = graphs.envelope(graph.distances, cutoff) ** weighted
            degree = np.bincount(graph.senders, strength, graph.n_atoms)
            there = strength > 0.0
            ends = graph.senders[there], graph.receivers[there]
            back = strength[there] ** 2 / (degree[ends[0]] * degree[ends[1]])
            expected = np.bincount(ends[0], back, graph.n_atoms)
            assert_allclose(mean, degree > NEGLIGIBLE, atol=EXACT)
            assert_allclose(second - mean**2, expected * (degree > NEGLIGIBLE), atol=EXACT)
            moments.append(np.stack([mean, second]))
        small = np.tile(moments[0], (1, int(np.prod(repeats))))
        assert_allclose(small, moments[1], atol=EXACT)


def check_supercell(
    atoms: Atoms, cutoff: float, vectors: np.ndarray, order: np.ndarray | None = None
) -> None:
    """A cell and its repetition, spanned by any vectors, have the same local densities.

    Rows of ``vectors`` are in units of the cell; ``order`` mixes the atoms.
    """
    large = make_supercell(atoms, vectors)
    image = np.tile(np.arange(len(atoms)), len(large) // len(atoms))
    order = np.arange(len(large)) if order is None else order
    mixed = large[order]
    for weighted in (False, True):
        one, other = (
            graphs.cumulative(*graphs.local_spectrum(graph, weighted=weighted))
            for graph in (graphs.neighbour_graph(cell, cutoff) for cell in (atoms, mixed))
        )
        assert graphs.wasserstein(other, one[image[order]]).max() < ROUNDING


def check_envelope(distances: np.ndarray, cutoff: float) -> None:
    """It falls from 1 to 0, never below, and has no slope at the cutoff."""
    weights = graphs.envelope(distances, cutoff)
    assert (weights >= 0.0).all()
    assert (np.diff(weights[np.argsort(distances)]) <= 0.0).all()
    assert graphs.envelope(np.array([0.0]), cutoff)[0] == 1.0
    assert graphs.envelope(np.array([cutoff, 2.0 * cutoff]), cutoff).tolist() == [0.0, 0.0]
    step = 1e-3
    assert graphs.envelope(np.array([cutoff * (1 - step)]), cutoff)[0] < 100 * step**3
