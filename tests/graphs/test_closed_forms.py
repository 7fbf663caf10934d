"""Laplacian spectra that are known in closed form (Chung, Spectral Graph Theory, 1997)."""

from __future__ import annotations

import numpy as np
import pytest
from ase import Atoms
from ase.build import molecule
from numpy.testing import assert_allclose

from farfield.graphs import (
    bloch_laplacians,
    cumulative,
    laplacian,
    local_spectrum,
    neighbour_graph,
    share_near_one,
    spectrum,
    wasserstein,
)
from farfield.graphs.densities import GRID, SPACING
from tests.graphs.checks import check_components

TOL = 1e-7


def line(count: int, **options) -> Atoms:
    return Atoms("H" * count, positions=[[index, 0, 0] for index in range(count)], **options)


def cosines(*counts: int, shift: float = 0.0) -> np.ndarray:
    """1 - mean of cos(k) over a mesh of ``counts`` wave vectors per axis, sorted."""
    axes = [np.cos(2 * np.pi * (np.arange(count) + shift) / count) for count in counts]
    return np.sort(1 - sum(np.meshgrid(*axes)).ravel() / len(counts))


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("count", [2, 3, 4])
def test_complete_graph(count: int, weighted: bool) -> None:
    corners = np.array([[0, 0, 0], [1, 1, 0], [1, 0, 1], [0, 1, 1]], dtype=float)[:count]
    values = spectrum(
        neighbour_graph(Atoms("H" * count, positions=corners), 2.0), weighted=weighted
    )
    assert_allclose(values, [0.0] + [count / (count - 1)] * (count - 1), atol=TOL)


def test_complete_graph_of_a_molecule_smaller_than_the_cutoff() -> None:
    values = spectrum(neighbour_graph(molecule("C6H6"), 8.0))
    assert_allclose(values, [0.0] + [12 / 11] * 11, atol=TOL)
    assert share_near_one(values) == pytest.approx(11 / 12)


@pytest.mark.parametrize("count", [2, 3, 7])
def test_path(count: int) -> None:
    values = spectrum(neighbour_graph(line(count), 1.5))
    assert_allclose(values, 1 - np.cos(np.pi * np.arange(count) / (count - 1)), atol=TOL)


def test_path_with_any_weights_of_three_atoms() -> None:
    atoms = Atoms("H3", positions=[[0, 0, 0], [0.7, 0, 0], [2.0, 0, 0]])
    values = spectrum(neighbour_graph(atoms, 1.6), weighted=True)
    assert_allclose(values, [0.0, 1.0, 2.0], atol=TOL)


@pytest.mark.parametrize("count", [4, 5, 9])
def test_ring(count: int) -> None:
    angles = 2 * np.pi * np.arange(count) / count
    places = np.stack([np.cos(angles), np.sin(angles), 0 * angles], axis=1)
    graph = neighbour_graph(Atoms("C" * count, positions=places), 2.2 * np.sin(np.pi / count))
    for weighted in (False, True):
        assert_allclose(spectrum(graph, weighted=weighted), cosines(count), atol=TOL)
    plain = np.linalg.eigvalsh(laplacian(graph, normalised=False))
    assert_allclose(plain, 2 * cosines(count), atol=TOL)


def test_star() -> None:
    values = spectrum(neighbour_graph(molecule("CH4"), 1.3))
    assert_allclose(values, [0.0, 1.0, 1.0, 1.0, 2.0], atol=TOL)
    assert share_near_one(values) == pytest.approx(3 / 5)


@pytest.mark.parametrize("count", [1, 2, 3, 8])
def test_periodic_chain_down_to_one_atom_and_its_own_images(count: int) -> None:
    graph = neighbour_graph(line(count, cell=[count, 0, 0], pbc=[True, False, False]), 1.5)
    assert graph.n_edges == 2 * count
    assert_allclose(spectrum(graph), cosines(count), atol=TOL)


@pytest.mark.parametrize("counts", [(1, 1, 1), (2, 2, 2), (3, 3, 3), (1, 2, 5)])
def test_simple_cubic_lattice(counts: tuple[int, int, int]) -> None:
    lattice = Atoms("Po", cell=[1.0, 1.0, 1.0], pbc=True).repeat(counts)
    values = spectrum(neighbour_graph(lattice, 1.2))
    assert_allclose(values, cosines(*counts), atol=TOL)


@pytest.mark.parametrize("weighted", [False, True])
def test_wave_vectors_of_one_cell_of_the_simple_cubic_lattice(weighted: bool) -> None:
    graph = neighbour_graph(Atoms("Po", cell=[1.0, 1.0, 1.0], pbc=True), 1.2)
    matrices, shares = bloch_laplacians(graph, weighted=weighted)  # 12 x 12 x 12, in pairs
    assert matrices.shape == (12**3 // 2 + 4, 1, 1)
    assert shares.sum() == pytest.approx(1.0)
    values, weights = local_spectrum(graph, weighted=weighted)
    expected = cumulative(cosines(12, 12, 12))
    assert_allclose(cumulative(values, weights)[0], expected, atol=TOL)


def test_the_density_of_one_cell_nears_that_of_the_infinite_lattice() -> None:
    infinite = cumulative(cosines(20, 20, 20, shift=0.5))
    graph = neighbour_graph(Atoms("Po", cell=[1.0, 1.0, 1.0], pbc=True), 1.2)
    values, weights = local_spectrum(graph)
    assert wasserstein(cumulative(values, weights)[0], infinite) < 0.03
    assert wasserstein(cumulative(spectrum(graph)), infinite) > 0.9  # of the cell alone


def test_one_atom_and_isolated_atoms() -> None:
    assert spectrum(neighbour_graph(Atoms("H"), 5.0)).tolist() == [0.0]
    lonely = Atoms("H3", positions=[[0, 0, 0], [20, 0, 0], [40, 0, 0]])
    for weighted in (False, True):
        values, weights = local_spectrum(neighbour_graph(lonely, 5.0), weighted=weighted)
        assert values.tolist() == [0.0] * 3
        assert_allclose(weights.sum(axis=1), 1.0)
    assert cumulative(values)[0] == pytest.approx(1.0)


def test_disconnected_parts_count_as_zeros_and_keep_their_spectra() -> None:
    near, far = molecule("CH4"), molecule("C2H6")
    far.translate([50.0, 0.0, 0.0])
    atoms = near + far + Atoms("He", positions=[[0.0, 90.0, 0.0]])
    check_components(atoms, 1.3)
    parts = [spectrum(neighbour_graph(part, 1.3)) for part in (near, far)]
    together = spectrum(neighbour_graph(atoms, 1.3))
    assert_allclose(together, np.sort(np.concatenate([*parts, [0.0]])), atol=TOL)
    assert np.sum(together < TOL) == 4  # CH4; two CH3, whose C-C bond is longer; He


def test_grid() -> None:
    assert (GRID[0], GRID[-1], SPACING) == (0.0, 2.0, pytest.approx(2 / 255))
