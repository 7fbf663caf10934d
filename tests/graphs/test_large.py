"""Large graphs: estimates against exact densities, within the error that they state."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk, molecule
from numpy.testing import assert_allclose
from scipy.spatial.transform import Rotation

from farfield.graphs import (
    EXACT_ATOMS,
    Graph,
    coarse,
    coarse_densities,
    cumulative,
    density_with_error,
    estimate,
    laplacian,
    local_spectrum,
    neighbour_graph,
    share_near_one,
    sorted_spectra,
    spectral_density,
    spectrum,
    unnormalised_quantiles,
    wasserstein,
)
from farfield.graphs.clusters import NODES
from farfield.graphs.densities import GRID
from farfield.graphs.sparse import propagator
from farfield.graphs.stochastic import STEPS


def rattled(atoms: Atoms, width: float, seed: int = 0) -> Atoms:
    moved = atoms.copy()
    moved.positions += np.random.default_rng(seed).normal(scale=width, size=moved.positions.shape)
    return moved


def water(count: int) -> Atoms:
    """A box of count³ water molecules, turned at random."""
    rng = np.random.default_rng(0)
    box = Atoms(cell=[3.1 * count] * 3, pbc=True)
    for place in np.ndindex(count, count, count):
        each = molecule("H2O")
        each.positions = each.positions @ Rotation.random(rng=rng).as_matrix().T
        each.translate(3.1 * np.array(place))
        box += each
    return box


def chain(count: int) -> Atoms:
    steps = np.random.default_rng(0).normal(scale=0.9, size=(count, 3))
    return Atoms(f"C{count}", positions=np.cumsum(steps, axis=0))


def molecules_apart(count: int) -> Atoms:
    """Methane, ethane and an atom, time and again, out of each other's reach."""
    parts = Atoms()
    for index in range(count):
        part = [molecule("CH4"), molecule("C2H6"), Atoms("He")][index % 3]
        part.translate([50.0 * index, 0.0, 0.0])
        parts += part
    return parts


SALT = bulk("NaCl", "rocksalt", a=5.64, cubic=True)
COPPER = bulk("Cu", cubic=True)
LAYER = COPPER.repeat((7, 7, 1))
CASES = {
    "copper": (rattled(COPPER.repeat(5), 0.12), 4.5),
    "perfect salt": (SALT.repeat(4), 4.0),
    "water": (water(5), 5.0),
    "chain": (chain(400), 3.0),
    "gas": (Atoms("He500", positions=200.0 * np.random.default_rng(0).random((500, 3))), 5.0),
    "far molecules": (molecules_apart(90), 1.6),
}
IDS = list(CASES)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("name", IDS)
def test_the_estimate_lies_within_its_error_of_the_exact_density(name: str, weighted: bool) -> None:
    atoms, cutoff = CASES[name]
    graph = neighbour_graph(atoms, cutoff)
    found = estimate(graph, weighted=weighted)
    exact = cumulative(spectrum(graph, weighted=weighted))  # of the cell as it is drawn
    assert found.vectors == 128
    assert wasserstein(found.levels, exact) <= found.error + 1e-5
    assert wasserstein(found.levels, exact) <= 0.006
    assert found.error <= np.pi / STEPS
    assert found.levels[-1] == pytest.approx(1.0, abs=1e-5)
    assert (np.diff(found.levels) >= -1e-6).all()


def test_a_large_supercell_has_the_density_of_its_cell_and_not_an_estimate() -> None:
    atoms, cutoff = CASES["copper"]
    cell, large = (neighbour_graph(each, cutoff) for each in (atoms, atoms.repeat((2, 2, 1))))
    assert cell.n_atoms <= EXACT_ATOMS < large.n_atoms
    levels, error = density_with_error(large, weighted=True)
    assert error is None
    assert_allclose(levels, spectral_density(cell, weighted=True), atol=1e-10)
    assert_allclose(unnormalised_quantiles(large, 32), unnormalised_quantiles(cell, 32), atol=1e-9)


@pytest.mark.parametrize("name", ["copper", "water", "chain", "far molecules"])
def test_unnormalised_eigenvalues_of_a_large_graph_are_estimated(name: str, monkeypatch) -> None:
    graph = neighbour_graph(*CASES[name])
    exact = unnormalised_quantiles(graph, 32)
    monkeypatch.setattr("farfield.graphs.spectra.is_large", lambda graph: True)
    found = unnormalised_quantiles(graph, 32)
    assert not np.array_equal(found, exact)
    assert np.abs(found - exact).mean() < 0.01 * exact[-1]


def test_the_standard_error_is_the_scatter_over_seeds() -> None:
    graph = neighbour_graph(*CASES["copper"])
    found = [estimate(graph, weighted=True, seed=seed, samples=4000) for seed in range(12)]
    scatter = np.std([each.levels for each in found], axis=0, ddof=1).sum() * (GRID[1] - GRID[0])
    assert np.mean([each.standard_error for each in found]) == pytest.approx(scatter, rel=0.35)
    again = estimate(graph, weighted=True, seed=3, samples=4000)
    assert np.array_equal(again.levels, found[3].levels)
    assert not np.array_equal(found[3].levels, found[4].levels)


def test_the_order_of_the_atoms_changes_an_estimate_by_no_more_than_its_error() -> None:
    atoms, cutoff = CASES["water"]
    order = np.random.default_rng(0).permutation(len(atoms))
    one, other = (estimate(neighbour_graph(each, cutoff)) for each in (atoms, atoms[order]))
    assert 0.0 < wasserstein(one.levels, other.levels) <= one.error + other.error


@pytest.mark.parametrize(("cell", "cutoff"), [(SALT.repeat((6, 6, 1)), 4.0), (LAYER, 4.5)])
def test_a_thin_cell_is_estimated_as_the_crystal_that_it_stands_for(cell, cutoff) -> None:
    graph = neighbour_graph(rattled(cell, 0.15), cutoff)
    found = estimate(graph, weighted=True, samples=20_000)
    exact = spectral_density(graph, weighted=True)  # at the same wave vectors
    assert wasserstein(found.levels, exact) <= found.error + 1e-5
    alone = cumulative(spectrum(graph, weighted=True))
    assert wasserstein(alone, exact) > 2 * found.error


@pytest.mark.parametrize(("atoms", "cutoff"), [(rattled(SALT, 0.15), 4.0), (COPPER, 4.5)])
def test_repetition_leaves_the_density_unchanged(atoms: Atoms, cutoff: float) -> None:
    found = [
        estimate(neighbour_graph(atoms.repeat(count), cutoff), weighted=True, samples=40_000)
        for count in (8, 10)
    ]
    assert wasserstein(*(each.levels for each in found)) < sum(each.error for each in found)


def test_the_sparse_matrix_is_the_dense_one() -> None:
    for atoms, cutoff in (*CASES.values(), (COPPER, 4.5), (Atoms("He"), 3.0)):
        graph = neighbour_graph(atoms, cutoff)
        for weighted in (False, True):
            matrix = propagator(graph, weighted=weighted)
            assert matrix.dtype == np.float32
            dense = np.eye(graph.n_atoms) - laplacian(graph, weighted=weighted)
            assert_allclose(matrix.toarray(), dense, atol=1e-6)


def test_a_graph_with_one_sided_edges_counts_them_half() -> None:
    graph = neighbour_graph(*CASES["chain"])
    keep = np.random.default_rng(0).random(graph.n_edges) < 0.7
    names = ("senders", "receivers", "shifts", "distances")
    capped = replace(graph, **{name: getattr(graph, name)[keep] for name in names})
    found = estimate(capped, weighted=True)
    assert wasserstein(found.levels, spectral_density(capped, weighted=True)) <= found.error


def moments(levels: np.ndarray) -> np.ndarray:
    powers = (1.0 - GRID)[:, None] ** np.arange(2 * NODES)
    return np.diff(levels, axis=1, prepend=0.0) @ powers


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("name", IDS)
def test_local_densities_have_the_first_moments_of_the_exact_ones(name, weighted) -> None:
    graph = neighbour_graph(*CASES[name])
    values, weights = local_spectrum(graph, weighted=weighted)
    powers = (1.0 - values)[:, None] ** np.arange(2 * NODES)
    seen = np.zeros(graph.n_atoms, dtype=int)
    for atoms, levels in coarse_densities(graph, weighted=weighted):
        seen[atoms] += 1
        # Halving the distance to the grid changes a second moment by its square.
        assert_allclose(moments(levels), (weights @ powers)[atoms], atol=2e-3)
        exact = coarse(cumulative(values, weights[atoms]))
        assert wasserstein(levels, exact).max() < 0.02
        assert np.median(wasserstein(levels, exact)) < 2e-3
    assert (seen == 1).all()


def local(graph: Graph, atoms: np.ndarray | None = None) -> np.ndarray:
    found = {}
    for some, levels in coarse_densities(graph, atoms, weighted=True):
        found |= zip(some.tolist(), levels, strict=True)
    return np.stack([found[atom] for atom in (range(graph.n_atoms) if atoms is None else atoms)])


def test_some_atoms_are_described_as_among_all() -> None:
    graph = neighbour_graph(*CASES["water"])
    some = np.array([300, 5, 17])
    assert_allclose(local(graph, some), local(graph)[some], atol=1e-5)


def test_order_and_repetition_leave_local_densities_unchanged() -> None:
    salt, cutoff = rattled(SALT, 0.15), 4.0
    first = np.arange(len(salt))
    small, large = (neighbour_graph(salt.repeat(count), cutoff) for count in (4, 6))
    assert wasserstein(local(small, first), local(large, first)).max() < 1e-4
    atoms = salt.repeat(4)
    order = np.random.default_rng(0).permutation(len(atoms))
    turned = local(neighbour_graph(atoms[order], cutoff))
    assert wasserstein(turned, local(small)[order]).max() < 1e-4


def test_large_graphs_need_no_dense_matrix() -> None:
    count = 30 * EXACT_ATOMS  # a dense matrix would take 7 GB
    graph = neighbour_graph(
        rattled(Atoms("Po", cell=[3.0] * 3, pbc=True).repeat((30, 40, 25)), 0.2), 3.6
    )
    assert graph.n_atoms == count
    levels = spectral_density(graph, weighted=True)
    assert levels[-1] == pytest.approx(1.0, abs=1e-5)
    values = spectrum(graph)
    assert len(values) == count
    assert (np.diff(values) >= 0.0).all()
    assert 0.0 < share_near_one(values) < 1.0
    assert_allclose(sorted_spectra([graph])[0], values)
