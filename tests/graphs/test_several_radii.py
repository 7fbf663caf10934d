"""Spectra within several radii at once are those of each radius alone."""

from __future__ import annotations

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk, molecule

from farfield.benchmarks.radius.cost import published_eigenvalues
from farfield.graphs import neighbour_graph, spectra_within, spectrum

RADII = [0.5, 1.2, 1.6, 2.2, 3.0, 4.5, 6.0]


def test_all_radii_at_once_are_one_after_the_other() -> None:
    apart = Atoms("H2O", [[0.0, 0.0, 0.0], [5.0, 0.0, 0.0], [5.0, 1.0, 0.0]])
    structures = [
        *(molecule(name) for name in ("CH3OH", "C6H6", "C2H6", "H", "CH3CONH2")),
        apart,
        bulk("NaCl", "rocksalt", a=5.6),
    ]
    graphs = [neighbour_graph(atoms, max(RADII)) for atoms in structures]
    for graph, found in zip(graphs, spectra_within(graphs, RADII), strict=True):
        assert found.shape == (len(RADII), graph.n_atoms)
        each = np.stack([spectrum(graph.within(radius)) for radius in RADII])
        assert found == pytest.approx(each, abs=1e-12)
    assert spectra_within([], RADII) == []


def test_an_edge_at_the_radius_is_none() -> None:
    pair = Atoms("H2", [[0.0, 0.0, 0.0], [1.0, 0.0, 0.0]])
    graph = neighbour_graph(pair, 2.0)
    at, above = spectra_within([graph], [1.0, 1.0000001])[0]
    assert at.tolist() == [0.0, 0.0]
    assert above == pytest.approx([0.0, 2.0])


def test_the_published_procedure_gives_the_same_where_it_is_defined() -> None:
    atoms = molecule("C6H6")
    graph = neighbour_graph(atoms, 4.5)
    radii = [2.2, 3.0, 4.5]
    for radius, found in zip(radii, spectra_within([graph], radii)[0], strict=True):
        assert found == pytest.approx(published_eigenvalues(atoms, radius), abs=1e-8)
