"""Choosing a radius from few spectra: the spectra are right, and the choice is that of them all."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk, molecule

from farfield.graphs import (
    CRITERIA,
    Graph,
    bloch_laplacians,
    laplacian,
    neighbour_graph,
    references,
)
from farfield.graphs.radius_search import interpolated, search, stretched_about_one
from farfield.graphs.within import FEW_ATOMS, Within

CUTOFF = 4.5
RADII = [round(share * CUTOFF, 4) for share in (0.65, 0.7, 0.8, 0.9, 0.95, 1.05, 1.1, 1.2)]
RADII.append(CUTOFF)
MARGIN = 0.05


def packed(n_atoms: int, seed: int) -> Atoms:
    """Molecules on a grid, turned at random."""
    rng = np.random.default_rng(seed)
    found = Atoms()
    for steps in np.ndindex(5, 5, 5):
        one = molecule(rng.choice(["C2H6", "CH3OH", "C6H6", "CH3CONH2", "C4H4NH"]))
        one.euler_rotate(*rng.uniform(0, 360, 3), center="COP")
        one.translate(rng.uniform(4.5, 6.0) * np.array(steps))
        found += one
    return found[:n_atoms]


def capped(graph: Graph) -> Graph:
    """One edge less, so that only one of two atoms has it."""
    kept = np.arange(graph.n_edges) != 7
    return replace(
        graph,
        senders=graph.senders[kept],
        receivers=graph.receivers[kept],
        shifts=graph.shifts[kept],
        distances=graph.distances[kept],
    )


LONELY = packed(12, 0) + Atoms("HeNe", [[0.0, 0.0, 40.0], [0.0, 0.0, 60.0]])
GRAPHS = {
    "molecule": neighbour_graph(molecule("C6H6"), max(RADII)),
    "with lonely atoms": neighbour_graph(LONELY, max(RADII)),
    "capped": capped(neighbour_graph(packed(40, 1), max(RADII))),
    "many atoms": neighbour_graph(packed(70, 2), max(RADII)),
    "one atom": neighbour_graph(Atoms("H"), max(RADII)),
}


@pytest.mark.parametrize("name", GRAPHS)
@pytest.mark.parametrize("normalised", [True, False])
@pytest.mark.parametrize("weighted", [True, False])
def test_spectra_within_are_those_of_each_radius(
    name: str, normalised: bool, weighted: bool
) -> None:
    graph = GRAPHS[name]
    seen = Within(graph)
    together = seen.spectra(RADII, normalised=normalised, weighted=weighted)
    for radius, found in zip(RADII, together, strict=True):
        matrix = laplacian(graph.within(radius), normalised=normalised, weighted=weighted)
        exact = np.linalg.eigvalsh(matrix)
        np.testing.assert_allclose(found, exact, atol=4e-6 * max(1.0, exact[-1]))
        alone = seen.eigenvalues(radius, normalised=normalised, weighted=weighted)
        np.testing.assert_allclose(alone, exact, atol=4e-6 * max(1.0, exact[-1]))


@pytest.mark.parametrize("name", ["molecule", "with lonely atoms", "many atoms"])
def test_widths_and_coordinations_need_no_eigenvalues(name: str) -> None:
    seen = Within(GRAPHS[name])
    normalised, others = seen.spectra(RADII), seen.spectra(RADII, normalised=False)
    widths = np.sqrt(((1.0 - normalised) ** 2).mean(axis=1))
    np.testing.assert_allclose(seen.widths(RADII), widths, atol=1e-6)
    np.testing.assert_allclose(seen.coordinations(RADII), others.mean(axis=1), rtol=1e-6)


def test_the_width_of_a_crystal_is_that_of_all_its_wave_vectors() -> None:
    graph = neighbour_graph(bulk("NaCl", "rocksalt", a=5.6), max(RADII))
    for radius, width in zip(RADII, Within(graph).widths(RADII), strict=True):
        matrices, shares = bloch_laplacians(graph.within(radius), weighted=True)
        squares = ((1.0 - np.linalg.eigvalsh(matrices)) ** 2).mean(axis=1)
        assert width == pytest.approx(np.sqrt(shares @ squares), rel=1e-6)


def test_a_stretched_spectrum_has_the_width_asked_for() -> None:
    values = np.sort(np.concatenate([[0.0, 0.0], np.random.default_rng(0).uniform(0.4, 1.6, 30)]))
    width = np.sqrt(((1.0 - values) ** 2).mean())
    wanted = np.array([width, 0.8 * width, 1.1 * width])
    same, *others = stretched_about_one(values, width, wanted)
    np.testing.assert_allclose(same, values, atol=1e-12)
    for found, asked in zip(others, wanted[1:], strict=True):
        assert np.sqrt(((1.0 - found) ** 2).mean()) == pytest.approx(asked)
        assert found.mean() == pytest.approx(values.mean())
        assert found[:2].tolist() == [0.0, 0.0]


def test_three_radii_tell_a_power_at_all() -> None:
    found = interpolated(lambda radii: np.asarray(radii) ** -1.5, RADII)
    np.testing.assert_allclose(found, np.array(RADII) ** -1.5)


def chosen(distances: np.ndarray) -> int:
    best = int(distances.argmin())
    return best if distances[best] < (1 - MARGIN) * distances[-1] else len(distances) - 1


@pytest.mark.parametrize("name", sorted(CRITERIA))
def test_the_search_chooses_as_all_radii_would(name: str) -> None:
    """Crystals and molecules, small and large; trained on packings denser or thinner."""
    rng = np.random.default_rng(3)
    trained = [packed(int(n), 100 + int(n)) for n in rng.integers(8, 40, 6)]
    structures = [packed(n, n) for n in (10, FEW_ATOMS, FEW_ATOMS + 1, 64, 90)]
    for factor in (0.9, 1.1):
        silicon = bulk("Si", "diamond", a=5.43 * factor, cubic=True)
        silicon.rattle(0.2, seed=1)
        structures.append(silicon)
    known = references([neighbour_graph(atoms, CUTOFF) for atoms in trained])[name]
    criterion = CRITERIA[name]
    looks = []
    for atoms in structures:
        graph = neighbour_graph(atoms, max(RADII))
        every, found = (way(graph, RADII, known) for way in (criterion.distances, criterion.search))
        looked = np.isfinite(found)
        assert looked[-1]
        np.testing.assert_allclose(found[looked], every[looked], rtol=1e-4, atol=1e-5)
        assert chosen(found) == chosen(every), atoms
        if len(atoms) > FEW_ATOMS:
            looks.append(looked.sum())
    if name in ("density", "unnormalised"):
        assert np.mean(looks) < len(RADII) / 2


@pytest.mark.parametrize(("doubt", "looks"), [(0.0, 2), (0.9, 4)])
def test_one_spectrum_is_not_trusted_nor_are_guesses_that_come_close(
    doubt: float, looks: int
) -> None:
    widths, wanted = np.array([0.7, 0.8, 0.9, 1.0]), np.linspace(0.5, 1.5, 8)

    def look(place: int) -> tuple[float, np.ndarray]:
        return 0.1 + float(np.abs(widths[place] - 1.0)), 1.0 + (wanted - 1.0) * widths[place]

    found = search(widths, wanted, look, stretched_about_one, doubt)
    assert np.isfinite(found).sum() == looks
    assert found.argmin() == 3
