"""The smallest cell of a crystal, and what is left as it is."""

from __future__ import annotations

import importlib
from dataclasses import replace

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk, fcc111, molecule
from numpy.testing import assert_allclose, assert_array_equal

from farfield.graphs import (
    Graph,
    cumulative,
    neighbour_graph,
    primitive,
    spectral_density,
    spectrum,
    wasserstein,
)

WAVES = importlib.import_module("farfield.graphs.waves")
SALT = bulk("NaCl", "rocksalt", a=5.64, cubic=True)
CHAIN = Atoms("CO", [[0, 0, 0], [1.2, 0.3, 0]], cell=[2.9, 0, 0], pbc=[True, False, False])
SIZES = {
    "fcc": (bulk("Cu", cubic=True).repeat((1, 2, 3)), 1),
    "diamond": (bulk("Si", cubic=True), 2),
    "rock salt, which is no simple cubic lattice": (SALT, 2),
    "hcp": (bulk("Mg").repeat((3, 1, 2)), 2),
    "a slab": (fcc111("Al", (3, 4, 2), vacuum=6.0, periodic=True), 2),
    "a chain without a cell beside it": (CHAIN.repeat((7, 1, 1)), 2),
    "a cell as large as it must be": (bulk("CsCl", "cesiumchloride", a=4.12, cubic=True), 2),
}


@pytest.mark.parametrize("name", list(SIZES))
def test_the_number_of_atoms(name: str) -> None:
    atoms, count = SIZES[name]
    graph = neighbour_graph(atoms, 4.0)
    cell, places = primitive(graph)
    assert cell.n_atoms == count
    assert cell.n_edges * len(atoms) == graph.n_edges * count
    assert_array_equal(cell.numbers[places], atoms.numbers)
    assert_array_equal(np.bincount(places), len(atoms) // count)
    degrees = [np.bincount(each.senders, minlength=each.n_atoms) for each in (graph, cell)]
    assert_array_equal(degrees[0], degrees[1][places])
    vectors = cell.positions[cell.receivers] + cell.shifts @ cell.cell
    lengths = np.linalg.norm(vectors - cell.positions[cell.senders], axis=1)
    assert_allclose(lengths, cell.distances, atol=1e-9)


@pytest.mark.parametrize(("count", "times"), [(1, (1, 1, 1)), (2, (2, 2, 2)), (3, (3, 3, 3))])
def test_the_mesh_of_one_cell_is_the_spectrum_of_so_many(monkeypatch, count, times) -> None:
    monkeypatch.setattr(WAVES, "FINEST", count)
    monkeypatch.setattr(WAVES, "LEAST_WIDTH", 0.0)
    for weighted in (False, True):
        graph, large = (neighbour_graph(a, 4.5) for a in (SALT, bulk("NaCl", "rocksalt", a=5.64)))
        large = neighbour_graph(bulk("NaCl", "rocksalt", a=5.64).repeat(times), 4.5)
        expected = cumulative(spectrum(large, weighted=weighted))
        assert wasserstein(spectral_density(graph, weighted=weighted), expected) < 1e-7


UNIQUE = {
    "a molecule": molecule("C6H6"),
    "one displaced atom": SALT.repeat((2, 1, 1)),
    "one other element": SALT.repeat((2, 1, 1)),
    "a missing atom": SALT.repeat((2, 1, 1))[1:],
}
UNIQUE["one displaced atom"].positions[5, 0] += 0.01
UNIQUE["one other element"].numbers[0] = 19


@pytest.mark.parametrize("name", list(UNIQUE))
def test_what_has_no_translation_is_returned_as_it_is(name: str) -> None:
    graph = neighbour_graph(UNIQUE[name], 4.0)
    cell, places = primitive(graph)
    assert cell is graph
    assert_array_equal(places, np.arange(graph.n_atoms))


def test_a_neighbour_cap_that_cuts_through_a_shell_leaves_no_translation() -> None:
    graph = neighbour_graph(SALT.repeat((2, 1, 1)), 3.0)
    capped = without(graph, np.arange(graph.n_edges) == 7)
    assert primitive(graph)[0].n_atoms == 2
    assert primitive(capped)[0] is capped


def test_an_edge_at_the_cutoff_that_rounding_decides_does_not_hide_a_translation() -> None:
    graph = neighbour_graph(SALT.repeat((2, 1, 1)), 2.82 * (1 + 1e-9))
    some = without(graph, np.random.default_rng(0).random(graph.n_edges) < 0.3)
    assert primitive(graph)[0].n_atoms == 2
    cell, _ = primitive(some)
    assert (cell.n_atoms, cell.n_edges) == (2, 0)


def without(graph: Graph, mask: np.ndarray) -> Graph:
    names = ("senders", "receivers", "shifts", "distances")
    return replace(graph, **{name: getattr(graph, name)[~mask] for name in names})
