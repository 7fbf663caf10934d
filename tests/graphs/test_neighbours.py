"""Edges and distances against ASE's own neighbour list."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk, fcc111, graphene, molecule
from hypothesis import given, settings
from hypothesis import strategies as st

from farfield.graphs import neighbour_graph
from tests.graphs.checks import check_both_ways, check_edges, edges_of, random_structure

PBC = list(itertools.product([False, True], repeat=3))
WIRE = Atoms("CO", positions=[[0, 0, 0], [1.1, 0.3, 0]], cell=[2.5, 0, 0], pbc=[True, False, False])


@pytest.mark.parametrize(
    ("atoms", "cutoff"),
    [
        (molecule("CH3CH2OH"), 1.7),
        (molecule("C6H6"), 5.0),
        (bulk("Cu"), 6.0),
        (bulk("NaCl", "rocksalt", a=5.64), 7.3),
        (fcc111("Al", (2, 2, 2), vacuum=6.0), 5.1),
        (graphene(vacuum=8.0), 4.0),
        (WIRE, 5.3),
        (Atoms("H2", positions=[[0, 0, 0], [0, 0, 9.0]]), 3.0),
    ],
    ids=["tight", "complete", "fcc", "rocksalt", "slab", "sheet", "wire", "isolated"],
)
def test_edges_are_those_of_ase(atoms: Atoms, cutoff: float) -> None:
    check_edges(atoms, cutoff)
    check_both_ways(atoms, cutoff)


@settings(max_examples=40)
@given(
    st.integers(0, 10**6), st.integers(1, 7), st.sampled_from(PBC), st.floats(1.0, 8.0), st.data()
)
def test_edges_of_random_structures(seed, count, pbc, cutoff, data) -> None:
    atoms = random_structure(seed, count, pbc)
    check_edges(atoms, cutoff)
    check_both_ways(atoms, cutoff)
    smaller = data.draw(st.floats(0.5, cutoff))
    cut, fresh = neighbour_graph(atoms, cutoff).within(smaller), neighbour_graph(atoms, smaller)
    assert cut.cutoff == fresh.cutoff
    assert np.array_equal(
        edges_of(cut.senders, cut.receivers, cut.shifts),
        edges_of(fresh.senders, fresh.receivers, fresh.shifts),
    )
    assert np.allclose(np.sort(cut.distances), np.sort(fresh.distances), atol=1e-12)


def test_an_edge_at_the_cutoff_is_no_edge_however_the_graph_was_made() -> None:
    dimer = Atoms("H2", positions=[[0, 0, 0], [0, 0, 2.0]])
    assert neighbour_graph(dimer, 2.0).n_edges == 0
    assert neighbour_graph(dimer, 3.0).within(2.0).n_edges == 0
    assert neighbour_graph(dimer, 3.0).within(2.0 + 1e-9).n_edges == 2


def test_images_of_oneself() -> None:
    cube = Atoms("Po", cell=[3.0, 3.0, 3.0], pbc=True)
    graph = neighbour_graph(cube, 3.1)
    assert graph.n_edges == 6
    assert graph.distances == pytest.approx([3.0] * 6)
    assert neighbour_graph(cube, 4.3).n_edges == 6 + 12
    assert neighbour_graph(cube, 6.1).n_edges == 6 + 12 + 8 + 6


def test_isolated_atoms_stand_in_the_graph() -> None:
    graph = neighbour_graph(Atoms("He"), 5.0)
    assert (graph.n_atoms, graph.n_edges) == (1, 0)
    assert graph.shifts.shape == (0, 3)


def test_a_graph_cannot_be_cut_beyond_what_it_knows() -> None:
    graph = neighbour_graph(molecule("H2O"), 2.0)
    assert graph.within(2.0).n_edges == graph.n_edges
    with pytest.raises(ValueError, match=r"reaches 2\.0 Å.*cut at 2\.5 Å"):
        graph.within(2.5)


def test_the_graph_does_not_share_the_positions_of_the_structure() -> None:
    atoms = molecule("H2O")
    graph = neighbour_graph(atoms, 2.0)
    before = graph.positions.copy()
    atoms.positions += 1.0
    assert np.array_equal(graph.positions, before)
