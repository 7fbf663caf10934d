"""What docs/radius.md derives about spectra, in numbers."""

from __future__ import annotations

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk

from farfield.graphs import (
    CRITERIA,
    Graph,
    bloch_laplacians,
    neighbour_graph,
    padded_distance,
    references,
    spectrum,
)


def complete(n: int) -> Graph:
    """Every atom within reach of every other."""
    points = np.random.default_rng(n).normal(size=(n, 3))
    return neighbour_graph(Atoms("C" * n, points), 100.0)


def ring_of(n: int) -> np.ndarray:
    """Points on a circle, neighbours 1 Å apart."""
    angles = 2 * np.pi * np.arange(n) / n
    radius = 0.5 / np.sin(np.pi / n)
    return radius * np.stack([np.cos(angles), np.sin(angles), 0 * angles], axis=1)


def ring(n: int, reach: int) -> Graph:
    """A ring of n atoms, each linked to so many on either side."""
    points = ring_of(n)
    far = np.linalg.norm(points[reach] - points[0])
    farther = np.linalg.norm(points[reach + 1] - points[0])
    return neighbour_graph(Atoms("C" * n, points), (far + farther) / 2)


def test_complete_graphs_tell_nothing_but_their_size() -> None:
    for n in (2, 5, 9):
        values = spectrum(complete(n))
        assert values[0] == pytest.approx(0.0, abs=1e-12)
        np.testing.assert_allclose(values[1:], n / (n - 1))


@pytest.mark.parametrize(("m", "n"), [(5, 6), (6, 9), (9, 20)])
def test_distances_of_complete_graphs(m: int, n: int) -> None:
    small, large = spectrum(complete(m)), spectrum(complete(n))
    told = (n - m) * (n / (n - 1)) ** 2 + (m - 1) * (m / (m - 1) - n / (n - 1)) ** 2
    assert padded_distance(small, large) == pytest.approx(told)
    area = 2 * (n - m) / (m * (n - 1))  # Wasserstein-1, by steps of the two distributions
    levels = np.linspace(0, 2, 400001)
    steps = [
        np.searchsorted(values, levels, side="right") / len(values) for values in (small, large)
    ]
    assert np.abs(steps[0] - steps[1]).mean() * 2 == pytest.approx(area, rel=1e-3)


@pytest.mark.parametrize("reach", [1, 3])
def test_a_ring_has_the_cosines_of_its_reach(reach: int) -> None:
    for n in (12, 40):
        waves = 2 * np.pi * np.arange(n) / n
        expected = 1 - np.cos(np.outer(np.arange(1, reach + 1), waves)).mean(axis=0)
        np.testing.assert_allclose(spectrum(ring(n, reach)), np.sort(expected), atol=1e-10)


def test_mean_and_spread_of_a_spectrum_are_known_from_the_degrees() -> None:
    points = np.random.default_rng(0).uniform(0, 6, (40, 3))
    graph = neighbour_graph(Atoms("C" * 40, points), 2.5)
    values = spectrum(graph)
    degree = np.bincount(graph.senders, minlength=40)
    assert degree.min() > 0
    assert values.mean() == pytest.approx(1.0)
    second = (1.0 / (degree[graph.senders] * degree[graph.receivers])).sum() / 40
    assert np.mean((values - 1) ** 2) == pytest.approx(second)


def test_a_lattice_is_seen_through_its_coordination_alone() -> None:
    """Expanding a crystal and its radius together changes nothing; the spread is 1 / z."""
    for cutoff, z in ((2.6, 4), (4.0, 16)):
        crystal = bulk("Si", "diamond", a=5.43)
        graph = neighbour_graph(crystal, cutoff)
        assert graph.n_edges == 2 * z
        wide = crystal.copy()
        wide.set_cell(1.1 * crystal.cell, scale_atoms=True)
        same = neighbour_graph(wide, 1.1 * cutoff)
        spectra = []
        for one in (graph, same):
            matrices, shares = bloch_laplacians(one)
            spectra.append((np.linalg.eigvalsh(matrices), shares))
        np.testing.assert_allclose(spectra[0][0], spectra[1][0], atol=1e-10)
        values, shares = spectra[0]
        spread = (shares @ ((values - 1) ** 2)).sum() / 2
        assert spread == pytest.approx(1 / z, rel=1e-9)


@pytest.mark.parametrize(("n", "misled"), [(10, 3.5), (24, 1.5), (40, 1.5)])
def test_the_padded_distance_makes_the_radius_follow_the_size(n: int, misled: float) -> None:
    """Rings alike everywhere but in length; the radius of training is the right one."""
    radii = [1.5, 2.5, 3.5, 4.5, 5.5]
    trained = neighbour_graph(Atoms("C" * 16, ring_of(16)), 2.5)
    graph = neighbour_graph(Atoms("C" * n, ring_of(n)), max(radii))
    chosen = {}
    for name in ("paper", "density", "width", "coordination"):
        criterion = CRITERIA[name]
        known = references([trained])[name]
        chosen[name] = radii[int(criterion.distances(graph, radii, known).argmin())]
    free_of_size = {"density": 2.5, "width": 2.5, "coordination": 2.5}
    assert chosen == {"paper": misled, **free_of_size}


def test_the_width_is_that_of_the_weighted_spectrum() -> None:
    graph = neighbour_graph(Atoms("C" * 24, ring_of(24)), 5.5)
    criterion = CRITERIA["width"]
    radii = [2.5, 3.5, 5.5]
    spectra = [spectrum(graph.within(radius), weighted=True) for radius in radii]
    expected = np.array([np.sqrt(np.mean((values - 1.0) ** 2)) for values in spectra])
    found = criterion.distances(graph, radii, np.zeros(1))
    np.testing.assert_allclose(found, expected, atol=1e-12)
    described = [criterion.describe(graph.within(radius))[0] for radius in radii]
    np.testing.assert_allclose(described, expected, atol=1e-12)


def test_weighted_coordination_by_running_sums_is_the_sum_of_envelopes() -> None:
    graph = neighbour_graph(bulk("Si", "diamond", a=5.43), 6.0)
    criterion = CRITERIA["weighted-coordination"]
    radii = [2.0, 3.0, 4.5, 6.0]
    each = [criterion.describe(graph.within(radius))[0] for radius in radii]
    found = criterion.distances(graph, radii, np.array([2.0]))
    np.testing.assert_allclose(found, np.abs(np.array(each) - 2.0), atol=1e-12)
