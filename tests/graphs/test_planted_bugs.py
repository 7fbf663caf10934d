"""Each check of this folder fails on the bug that it is there for."""

from __future__ import annotations

import importlib
from dataclasses import replace

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk, molecule
from vesin import NeighborList

from farfield import graphs
from farfield.graphs import Graph
from tests.graphs.checks import (
    check_both_ways,
    check_components,
    check_degrees,
    check_edges,
    check_envelope,
    check_laplacian,
    check_moments,
    check_padding,
    check_supercell,
    random_structure,
)

PACKAGE = "farfield.graphs"
LAPLACIAN = importlib.import_module("farfield.graphs.laplacian")
NEAR_THE_CUTOFF = 5.0 * (1.0 - np.logspace(-1, -9, 200))
SLANTED = np.array([[2, 1, 0], [0, 1, 0], [1, 0, 1]])
METHANES = molecule("CH4") + Atoms("He", positions=[[30.0, 0, 0]])
real_graph = graphs.neighbour_graph


def without_images(monkeypatch) -> None:
    class Blind:
        def __init__(self, **options) -> None:
            self.list = NeighborList(**options)

        def compute(self, points, box, periodic, quantities, **options):
            return self.list.compute(points, box, np.zeros(3, dtype=bool), quantities, **options)

    monkeypatch.setattr(f"{PACKAGE}.neighbours.NeighborList", Blind)


def without_own_images(monkeypatch) -> None:
    def fewer(atoms: Atoms, cutoff: float) -> Graph:
        graph = real_graph(atoms, cutoff)
        return keep(graph, graph.senders != graph.receivers)

    monkeypatch.setattr(f"{PACKAGE}.neighbour_graph", fewer)


def padding_that_unsorts(monkeypatch) -> None:
    def after(values, length):
        return np.concatenate([values, np.zeros(max(0, length - len(values)))])

    monkeypatch.setattr(f"{PACKAGE}.padded", after)
    monkeypatch.setattr(f"{PACKAGE}.spectra.padded", after)


def padding_that_cuts(monkeypatch) -> None:
    def cut(values, mean):
        return float(np.sum((graphs.padded(values, len(mean))[: len(mean)] - mean) ** 2))

    monkeypatch.setattr(f"{PACKAGE}.padded_distance", cut)


def dropped_isolated_atoms(monkeypatch) -> None:
    def linked(atoms: Atoms, cutoff: float) -> Graph:
        linked = np.unique(real_graph(atoms, cutoff).senders)
        return real_graph(atoms[linked], cutoff)

    monkeypatch.setattr(f"{PACKAGE}.neighbour_graph", linked)


def isolated_atoms_with_a_one(monkeypatch) -> None:
    real = LAPLACIAN.normalisation
    monkeypatch.setattr(LAPLACIAN, "normalisation", lambda d: (np.ones(len(d)), real(d)[1]))


def neighbour_cap(monkeypatch) -> None:
    monkeypatch.setattr(f"{PACKAGE}.neighbour_graph", capped)


def capped(atoms: Atoms, cutoff: float, most: int = 2) -> Graph:
    graph = real_graph(atoms, cutoff)
    rank = np.zeros(graph.n_edges, dtype=int)
    for atom in range(graph.n_atoms):
        mine = np.flatnonzero(graph.senders == atom)
        rank[mine[np.argsort(graph.distances[mine])]] = np.arange(len(mine))
    return keep(graph, rank < most)


def keep(graph: Graph, mask: np.ndarray) -> Graph:
    names = ("senders", "receivers", "shifts", "distances")
    return replace(graph, **{name: getattr(graph, name)[mask] for name in names})


def no_wave_vectors(monkeypatch) -> None:
    nothing = np.zeros((1, 3)), np.ones(1)
    monkeypatch.setattr(LAPLACIAN, "wave_vectors", lambda graph: nothing)


def no_translations(monkeypatch) -> None:
    spectra = importlib.import_module("farfield.graphs.spectra")
    monkeypatch.setattr(spectra, "primitive", lambda graph: (graph, np.arange(graph.n_atoms)))


def envelope_as_a_sum_of_powers(monkeypatch) -> None:
    def powers(distances, cutoff):
        x = np.minimum(distances / cutoff, 1.0)
        return 1.0 - 21 * x**5 + 35 * x**6 - 15 * x**7

    monkeypatch.setattr(f"{PACKAGE}.envelope", powers)


def envelope_of_a_cosine(monkeypatch) -> None:
    def cosine(distances, cutoff):
        return 0.5 * (1.0 + np.cos(np.pi * np.minimum(distances / cutoff, 1.0)))

    monkeypatch.setattr(f"{PACKAGE}.envelope", cosine)


def one_sided_adjacency(monkeypatch) -> None:
    def one_sided(graph: Graph, *, weighted: bool = False):
        matrix = np.zeros((graph.n_atoms, graph.n_atoms))
        np.add.at(matrix, (graph.senders, graph.receivers), 1.0)
        return matrix

    monkeypatch.setattr(LAPLACIAN, "adjacency", one_sided)


CASES = [
    (without_images, lambda: check_edges(bulk("Cu"), 4.0)),
    (without_images, lambda: check_degrees(bulk("Cu"), 4.0, (2, 1, 1))),
    (without_own_images, lambda: check_edges(bulk("Cu"), 4.0)),
    (without_own_images, lambda: check_degrees(bulk("NaCl", "rocksalt", a=5.6), 5.0, (1, 2, 1))),
    (without_own_images, lambda: check_moments(bulk("NaCl", "rocksalt", a=5.6), 5.0, (1, 2, 1))),
    (padding_that_unsorts, lambda: check_padding(molecule("CH4"), 1.3, 3)),
    (padding_that_cuts, lambda: check_padding(molecule("CH4"), 1.3, 3)),
    (dropped_isolated_atoms, lambda: check_components(METHANES, 1.3)),
    (dropped_isolated_atoms, lambda: check_padding(molecule("CH4"), 1.3, 1)),
    (isolated_atoms_with_a_one, lambda: check_components(METHANES, 1.3)),
    (neighbour_cap, lambda: check_edges(molecule("CH3CH2OH"), 3.0)),
    (neighbour_cap, lambda: check_both_ways(molecule("CH3CH2OH"), 3.0)),
    (
        one_sided_adjacency,
        lambda: check_laplacian(capped(molecule("CH3CH2OH"), 3.0), weighted=False),
    ),
    (no_wave_vectors, lambda: check_moments(bulk("Cu"), 4.0, (2, 1, 1))),
    (no_translations, lambda: check_supercell(bulk("Cu"), 4.0, np.diag([2, 1, 1]))),
    (no_translations, lambda: check_supercell(random_structure(3), 4.0, SLANTED)),
    (envelope_as_a_sum_of_powers, lambda: check_envelope(NEAR_THE_CUTOFF, 5.0)),
    (envelope_of_a_cosine, lambda: check_envelope(NEAR_THE_CUTOFF, 5.0)),
]


@pytest.mark.parametrize(("plant", "check"), CASES, ids=[plant.__name__ for plant, _ in CASES])
def test_the_check_fails_on_the_bug_and_only_then(monkeypatch, plant, check) -> None:
    check()
    with monkeypatch.context() as patch:
        plant(patch)
        with pytest.raises(AssertionError):
            check()
    check()


def test_a_capped_graph_has_a_symmetric_laplacian_whatever_the_order_of_its_atoms() -> None:
    atoms = random_structure(3, count=8)
    values = graphs.spectrum(capped(atoms, 4.0))
    for weighted in (False, True):
        check_laplacian(capped(atoms, 4.0), weighted=weighted)
    order = np.random.default_rng(0).permutation(8)
    assert np.allclose(values, graphs.spectrum(capped(atoms[order], 4.0)), atol=1e-7)
    with pytest.raises(AssertionError):
        check_both_ways_of(capped(atoms, 4.0))


def check_both_ways_of(graph: Graph) -> None:
    matrix = np.zeros((graph.n_atoms, graph.n_atoms))
    np.add.at(matrix, (graph.senders, graph.receivers), 1.0)
    assert np.array_equal(matrix, matrix.T)
