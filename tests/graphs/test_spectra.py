"""Densities and distances between spectra: exact means, metric axioms, SciPy's own distance."""

from __future__ import annotations

import numpy as np
import pytest
from ase import Atoms
from ase.build import molecule
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.testing import assert_allclose
from scipy.stats import wasserstein_distance

from farfield.graphs import (
    cumulative,
    envelope,
    local_spectrum,
    neighbour_graph,
    padded,
    padded_distance,
    share_near_one,
    spectrum,
    wasserstein,
    wasserstein_table,
)
from farfield.graphs.densities import GRID, GRID_POINTS, SPACING
from tests.graphs.checks import check_envelope

EXACT = 1e-10
FEW = settings(max_examples=40)
VALUES = arrays(float, st.integers(1, 30), elements=st.floats(0.0, 2.0)).map(np.sort)


def mean_of(density: np.ndarray) -> np.ndarray:
    return np.diff(density, axis=-1, prepend=0.0) @ GRID


@FEW
@given(VALUES, st.integers(0, 10**6))
def test_cumulative_keeps_the_mean_and_ends_at_one(values: np.ndarray, seed: int) -> None:
    density = cumulative(values)
    assert density.shape == (GRID_POINTS,)
    assert density[-1] == pytest.approx(1.0, abs=EXACT)
    assert (np.diff(density) >= -EXACT).all()
    assert mean_of(density) == pytest.approx(values.mean(), abs=EXACT)
    weights = np.random.default_rng(seed).dirichlet(np.ones(len(values)), size=(2, 3))
    densities = cumulative(values, weights)
    assert densities.shape == (2, 3, GRID_POINTS)
    assert_allclose(densities[..., -1], 1.0, atol=EXACT)
    assert_allclose(mean_of(densities), weights @ values, atol=EXACT)
    assert_allclose(densities[1, 2], cumulative(values, weights[1, 2]), atol=EXACT)


@FEW
@given(VALUES)
def test_equal_weights_are_no_weights(values: np.ndarray) -> None:
    even = np.full(len(values), 1 / len(values))
    assert_allclose(cumulative(values, even), cumulative(values), atol=EXACT)


def test_cumulative_at_the_ends_and_between_grid_points() -> None:
    assert cumulative(np.array([0.0])).tolist() == [1.0] * GRID_POINTS
    assert cumulative(np.array([2.0]))[-2:] == pytest.approx([0.0, 1.0], abs=EXACT)
    density = cumulative(np.array([10.25 * SPACING]))
    assert density[9:12] == pytest.approx([0.0, 0.75, 1.0], abs=EXACT)


@FEW
@given(VALUES, VALUES)
def test_wasserstein_is_that_of_scipy_within_the_grid_spacing(first, second) -> None:
    ours = wasserstein(cumulative(first), cumulative(second))
    assert ours == pytest.approx(wasserstein_distance(first, second), abs=SPACING)


@FEW
@given(VALUES, VALUES, VALUES)
def test_wasserstein_is_a_metric(first, second, third) -> None:
    a, b, c = map(cumulative, (first, second, third))
    assert wasserstein(a, a) == 0.0
    assert wasserstein(a, b) == wasserstein(b, a)
    assert wasserstein(a, c) <= wasserstein(a, b) + wasserstein(b, c) + EXACT
    assert wasserstein(a, b) <= 2.0 + EXACT
    assert wasserstein(a, b) >= abs(first.mean() - second.mean()) - EXACT  # Kantorovich-Rubinstein


def test_wasserstein_tells_spectra_apart() -> None:
    zero, one, two = (cumulative(np.array([value])) for value in (0.0, 1.0, 2.0))
    assert wasserstein(zero, two) == pytest.approx(2.0)
    assert wasserstein(zero, one) == pytest.approx(1.0)
    both = cumulative(np.array([0.0, 2.0]))
    assert wasserstein(both, one) == pytest.approx(1.0, abs=SPACING)  # the means are the same


def test_the_table_holds_the_distances_of_all_pairs() -> None:
    rng = np.random.default_rng(2)
    first, second = (np.stack([cumulative(rng.random(5)) for _ in range(n)]) for n in (3, 4))
    table = wasserstein_table(first, second)
    assert_allclose(table, wasserstein(first[:, None], second[None]), atol=EXACT)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize(
    "atoms",
    [
        molecule("CH3CH2OH"),
        Atoms("Po3", [[0, 0, 0], [1, 1, 2], [0, 2, 2]], cell=[3, 3, 3], pbc=True),
    ],
)
def test_local_densities_average_to_the_whole(atoms: Atoms, weighted: bool) -> None:
    graph = neighbour_graph(atoms, 3.5)
    values, weights = local_spectrum(graph, weighted=weighted)
    assert weights.shape == (len(atoms), len(values))
    assert_allclose(weights.sum(axis=1), 1.0, atol=EXACT)
    assert (weights >= 0.0).all()
    if not atoms.pbc.any():
        whole = cumulative(spectrum(graph, weighted=weighted))
        assert_allclose(cumulative(values, weights).mean(axis=0), whole, atol=1e-7)
    local = cumulative(values, weights)
    assert wasserstein(local, local[::-1]).max() > 0.01  # atoms of different surroundings differ


@FEW
@given(VALUES)
def test_padding_keeps_order_and_values(values: np.ndarray) -> None:
    longer = padded(values, len(values) + 3)
    assert longer.tolist() == [0.0] * 3 + values.tolist()
    assert padded(values, len(values) - 1).tolist() == values.tolist()


@FEW
@given(VALUES, VALUES, VALUES)
def test_padded_distance(first, second, third) -> None:
    assert padded_distance(first, first) == 0.0
    assert padded_distance(first, padded(first, 40)) == 0.0
    assert padded_distance(first, second) == pytest.approx(padded_distance(second, first))
    roots = [
        np.sqrt(padded_distance(*pair))
        for pair in ((first, third), (first, second), (second, third))
    ]
    assert roots[0] <= roots[1] + roots[2] + 1e-7


def test_padded_distance_by_hand_and_of_a_graph_larger_than_the_mean() -> None:
    one, three = np.array([1.0]), np.array([0.5, 1.0, 1.5])
    assert padded_distance(three, one) == pytest.approx(0.5**2 + 1.0**2 + 0.5**2)
    assert padded_distance(one, three) == padded_distance(three, one)


def test_share_near_one() -> None:
    assert share_near_one(np.array([0.0, 0.89, 0.9, 1.0, 1.1, 1.11, 1.5, 2.0])) == 3 / 8
    assert share_near_one(np.array([0.0])) == 0.0


def test_envelope() -> None:
    check_envelope(5.0 * (1.0 - np.logspace(-9, 0, 300)), 5.0)
    x = np.linspace(0.0, 1.0, 50)
    powers = 1.0 - 21 * x**5 + 35 * x**6 - 15 * x**7  # equation 8 with p = 5
    assert_allclose(envelope(4.0 * x, 4.0), powers, atol=1e-13)
    shares = envelope(np.array([0.9, 0.8, 0.7, 0.6]) * 6.0, 6.0)
    assert shares == pytest.approx([0.026, 0.148, 0.353, 0.580], abs=5e-4)


@pytest.mark.parametrize("gap", 10.0 ** -np.arange(1.0, 10.0))
def test_a_dimer_about_to_break_keeps_its_spectrum_until_it_is_two_atoms(gap: float) -> None:
    dimer = Atoms("H2", positions=[[0, 0, 0], [0, 0, 5.0 * (1.0 - gap)]])
    values = spectrum(neighbour_graph(dimer, 5.0), weighted=True)
    assert values == pytest.approx([0.0, 2.0 if gap > 1e-4 * 0.5 else 0.0], abs=1e-7)
