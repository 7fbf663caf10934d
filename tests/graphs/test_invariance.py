"""What must not change a spectrum: order, rotation, translation, wrapping, choice of cell."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from farfield.graphs import (
    adjacency,
    cumulative,
    laplacian,
    local_spectrum,
    neighbour_graph,
    spectral_density,
    spectrum,
    wasserstein,
)
from tests.graphs.checks import (
    check_components,
    check_degrees,
    check_laplacian,
    check_moments,
    check_padding,
    check_supercell,
    random_structure,
)

ROUNDING = 1e-7  # of densities: eigenvalues at zero are known to the root of 1e-16
NEAR = 0.02  # of densities at meshes of unequal fineness
SEEDS = st.integers(0, 10**6)
PBC = st.sampled_from(list(itertools.product([False, True], repeat=3)))
CUTOFFS = st.floats(1.5, 6.0)


def described(atoms: Atoms, cutoff: float) -> list[np.ndarray]:
    """Spectra and local densities (N, grid), plain and weighted."""
    graph = neighbour_graph(atoms, cutoff)
    found = [spectrum(graph), spectrum(graph, weighted=True)]
    for weighted in (False, True):
        found.append(cumulative(*local_spectrum(graph, weighted=weighted)))
    return found


def assert_same(one: list[np.ndarray], other: list[np.ndarray], order=slice(None)) -> None:
    for first, second in zip(one[:2], other[:2], strict=True):
        assert np.allclose(first, second, atol=ROUNDING)
    for first, second in zip(one[2:], other[2:], strict=True):
        assert wasserstein(first[order], second).max() < ROUNDING


@settings(max_examples=25)
@given(SEEDS, PBC, CUTOFFS)
def test_order_rotation_translation_and_wrapping(seed, pbc, cutoff) -> None:
    atoms, rng = random_structure(seed, pbc=pbc), np.random.default_rng(seed)
    start = described(atoms, cutoff)

    order = rng.permutation(len(atoms))
    assert_same(start, described(atoms[order], cutoff), order)

    turned = atoms.copy()
    matrix = Rotation.random(rng=rng).as_matrix()
    turned.set_cell(np.asarray(atoms.cell) @ matrix.T)
    turned.positions = atoms.positions @ matrix.T + rng.normal(scale=10.0, size=3)
    assert_same(start, described(turned, cutoff))

    moved = atoms.copy()
    images = rng.integers(-3, 4, (len(atoms), 3)) * np.array(pbc)
    moved.positions += images @ np.asarray(atoms.cell)
    assert_same(start, described(moved, cutoff))
    moved.wrap()
    assert_same(start, described(moved, cutoff))


@settings(max_examples=25)
@given(SEEDS, PBC, st.floats(0.8, 6.0))
def test_laplacian_of_random_structures(seed, pbc, cutoff) -> None:
    atoms = random_structure(seed, pbc=pbc)
    graph = neighbour_graph(atoms, cutoff)
    for weighted in (False, True):
        check_laplacian(graph, weighted=weighted)
    check_components(atoms, cutoff)
    plain = laplacian(graph, normalised=False, weighted=True)
    assert np.allclose(plain, plain.T)
    assert np.allclose(plain.sum(axis=1), 0.0, atol=1e-10)
    assert np.allclose(
        plain.diagonal() + adjacency(graph, weighted=True).diagonal(),
        adjacency(graph, weighted=True).sum(axis=1),
    )


@settings(max_examples=15)
@given(SEEDS, st.integers(1, 5), st.floats(0.8, 3.0))
def test_padding_is_what_isolated_atoms_do(seed, count, cutoff) -> None:
    check_padding(random_structure(seed, pbc=(False, False, False)), cutoff, count)


@settings(max_examples=12)
@given(
    SEEDS,
    st.integers(1, 3),
    st.sampled_from([(2, 1, 1), (1, 3, 1), (2, 1, 2)]),
    st.sampled_from([(True, True, True), (True, False, True)]),
    CUTOFFS,
)
def test_supercells_have_the_degrees_and_moments_of_the_cell(
    seed, count, repeats, pbc, cutoff
) -> None:
    atoms = random_structure(seed, count, pbc)
    repeats = tuple(times if periodic else 1 for times, periodic in zip(repeats, pbc, strict=True))
    check_degrees(atoms, cutoff, repeats)
    check_moments(atoms, cutoff, repeats)


LATTICES = {
    "fcc": bulk("Cu"),
    "bcc": bulk("Li"),
    "diamond": bulk("Si"),
    "hcp": bulk("Mg"),
    "rock salt": bulk("NaCl", "rocksalt", a=5.64),
    "caesium chloride": bulk("CsCl", "cesiumchloride", a=4.12, cubic=True),
    "cubic cell": bulk("Cu", cubic=True),
}
SUPERCELLS = st.sampled_from(
    [
        np.array(rows)
        for rows in (
            [[2, 0, 0], [0, 1, 0], [0, 0, 1]],
            [[1, 0, 0], [0, 3, 0], [0, 0, 2]],
            [[1, 1, 0], [0, 1, 0], [-1, 2, 1]],  # as large as the cell
            [[2, 1, 0], [0, 1, 1], [1, 0, 2]],
        )
    ]
)


def moved(name: str, seed: int, width: float, times=(1, 1, 1)) -> Atoms:
    """A lattice, repeated, its atoms displaced at random."""
    atoms = LATTICES[name].repeat(times)
    atoms.positions += np.random.default_rng(seed).normal(scale=width, size=(len(atoms), 3))
    return atoms


@settings(max_examples=15)
@given(
    st.sampled_from(list(LATTICES)),
    SEEDS,
    st.sampled_from([0.0, 0.1]),
    st.sampled_from([(1, 1, 1), (2, 1, 1)]),
    SUPERCELLS,
    st.floats(3.5, 6.0),
)
def test_a_supercell_has_the_densities_of_its_cell(
    name, seed, width, times, vectors, cutoff
) -> None:
    atoms = moved(name, seed, width, times)
    count = len(atoms) * abs(round(np.linalg.det(vectors)))
    order = np.random.default_rng(seed).permutation(count)
    check_supercell(atoms, cutoff, vectors, order)


@pytest.mark.parametrize("name", list(LATTICES))
def test_a_supercell_that_is_hardly_rattled_stays_near_its_cell(name: str) -> None:
    """Nothing repeats in it, so its mesh is coarser than that of the cell."""

    def density(atoms: Atoms) -> np.ndarray:
        return spectral_density(neighbour_graph(atoms, 4.5), weighted=True)

    cell = density(LATTICES[name])
    for times in ((2, 1, 1), (3, 3, 3)):
        found = density(moved(name, 0, 2e-3, times))
        assert 0.0 < wasserstein(cell, found) < NEAR
    alone = cumulative(spectrum(neighbour_graph(LATTICES[name], 4.5), weighted=True))
    assert wasserstein(alone, cell) > 10 * NEAR


def test_the_spectrum_of_a_supercell_holds_that_of_the_cell() -> None:
    cell = random_structure(5, count=3)
    small = spectrum(neighbour_graph(cell, 4.0), weighted=True)
    large = spectrum(neighbour_graph(cell.repeat((2, 1, 2)), 4.0), weighted=True)
    assert np.abs(small[:, None] - large[None]).min(axis=1).max() < ROUNDING


def test_the_weighted_spectrum_is_continuous_where_an_edge_appears() -> None:
    def at(distance: float, *, weighted: bool) -> np.ndarray:
        atoms = Atoms("H3", positions=[[0, 0, 0], [0, 1.5, 0], [distance, 0, 0]])
        return spectrum(
            neighbour_graph(atoms + Atoms("He", [[distance, 2, 0]]), 3.0), weighted=weighted
        )

    for weighted, least, most in ((True, 0.0, 1e-4), (False, 1e-2, 2.0)):
        change = np.abs(at(3.0 - 1e-4, weighted=weighted) - at(3.0 + 1e-4, weighted=weighted)).max()
        assert least < change < most
