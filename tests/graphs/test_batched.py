"""Many structures at once: what comes out is what each gives alone, and what vesin finds."""

from __future__ import annotations

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk, molecule
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from farfield.graphs import (
    cumulative,
    local_densities,
    local_spectrum,
    nearest,
    neighbour_graph,
    neighbour_graphs,
    sorted_spectra,
    spectrum,
    wasserstein,
    wasserstein_table,
)
from tests.graphs.checks import edges_of, random_structure

SAME = 1e-12
SEEDS = st.integers(0, 10**6)
MIXED = [
    molecule("CH3CH2OH"),
    bulk("NaCl", "rocksalt", a=5.64),
    molecule("C6H6"),
    Atoms("He"),
    Atoms("H3", positions=[[0, 0, 0], [20, 0, 0], [40, 0, 0]]),
    molecule("CH4") + Atoms("He", positions=[[30.0, 0, 0]]),
    molecule("C2H6") + Atoms("O", positions=[[0.0, 0, 9.0]]),
    bulk("Cu", cubic=True).repeat(2),
    random_structure(1, count=70, pbc=(False,) * 3),
    random_structure(2, count=9, pbc=(True, False, False)),
]


def assert_same_graph(one, other) -> None:
    assert_array_equal(
        edges_of(one.senders, one.receivers, one.shifts),
        edges_of(other.senders, other.receivers, other.shifts),
    )
    assert_array_equal(np.sort(one.distances), np.sort(other.distances))  # to the last digit
    for name in ("numbers", "positions", "cell", "pbc", "cutoff"):
        assert_array_equal(getattr(one, name), getattr(other, name))


@pytest.mark.parametrize("cutoff", [1.3, 4.0])
def test_graphs_at_once_are_those_of_vesin(cutoff: float) -> None:
    for atoms, graph in zip(MIXED, neighbour_graphs(MIXED, cutoff), strict=True):
        assert_same_graph(graph, neighbour_graph(atoms, cutoff))


@settings(max_examples=60)
@given(SEEDS, st.integers(2, 8), st.integers(-1, 1))
def test_an_edge_at_the_cutoff_is_decided_as_vesin_does(seed: int, count: int, side: int) -> None:
    atoms = random_structure(seed, count, (False,) * 3)
    cutoff = atoms.get_distance(0, 1)
    cutoff = float(np.nextafter(cutoff, cutoff + side))
    assert_same_graph(neighbour_graphs([atoms], cutoff)[0], neighbour_graph(atoms, cutoff))


def test_no_structures() -> None:
    assert neighbour_graphs([], 3.0) == local_densities([]) == sorted_spectra([]) == []


@pytest.mark.parametrize("weighted", [False, True])
def test_a_structure_among_others_is_described_as_alone(weighted: bool) -> None:
    graphs = neighbour_graphs(MIXED * 3, 4.0)
    together = local_densities(graphs, weighted=weighted)
    values = sorted_spectra(graphs, weighted=weighted)
    for graph, levels, found in zip(graphs, together, values, strict=True):
        assert_allclose(levels, local_densities([graph], weighted=weighted)[0], atol=SAME)
        exact = cumulative(*local_spectrum(graph, weighted=weighted))
        assert wasserstein(levels, exact).max() < 1e-6
        assert_allclose(found, spectrum(graph, weighted=weighted), atol=SAME)


@settings(max_examples=15)
@given(SEEDS, st.floats(0.8, 6.0))
def test_random_structures_at_once(seed: int, cutoff: float) -> None:
    crowd = [random_structure(seed + each, 3 + each % 4, (False,) * 3) for each in range(12)]
    graphs = neighbour_graphs(crowd, cutoff)
    for graph, levels in zip(graphs, local_densities(graphs, weighted=True), strict=True):
        whole = cumulative(spectrum(graph, weighted=True))
        assert wasserstein_table(levels.mean(axis=0)[None], whole[None])[0, 0] < 1e-6


@settings(max_examples=30)
@given(SEEDS, st.integers(1, 20), st.integers(1, 30), st.sampled_from([0.01, 0.3]))
def test_nearest_is_the_minimum_of_the_table(seed, count, known, width) -> None:
    rng = np.random.default_rng(seed)
    values = np.clip(rng.normal(1.0, width, (count + known, 7)), 0.0, 2.0)
    levels = cumulative(values)
    first, second = levels[:count], levels[count:]
    assert_allclose(nearest(first, second), wasserstein_table(first, second).min(axis=1), atol=SAME)
    assert_allclose(nearest(second, np.vstack([first, second])), 0.0, atol=SAME)
