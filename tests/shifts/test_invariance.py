"""What must not change a score, the cases at the edge of a graph, and bugs that must be seen."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk, make_supercell, molecule
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation
from vesin import NeighborList

from farfield.graphs import padded_distance
from farfield.shifts import DETECTORS
from tests.shifts.made import HEADER, rattled, seen
from tests.shifts.made import fit as fit_profile

OF_THE_CELL = ("size", "share_near_one", "spectrum_padded")  # the paper's, and the size itself
ROUNDING = 2e-5  # densities have 16 bits, features 11
NEAR = 0.01  # of densities at meshes of wave vectors of unequal fineness


def crystal(seed: int, width: float = 0.05) -> Atoms:
    """A rattled cell of rock salt or of silver, four or eight atoms, not orthogonal."""
    rng = np.random.default_rng(seed)
    atoms = bulk("NaCl", "rocksalt", a=5.3) if seed % 2 else bulk("Ag", a=4.1)
    atoms = atoms.repeat((2, 2, 1) if seed % 2 else (2, 1, 2))
    atoms.set_cell(atoms.cell.array @ (np.eye(3) + rng.normal(scale=0.03, size=(3, 3))), True)
    atoms.positions += rng.normal(scale=width, size=(len(atoms), 3))
    return atoms


PROFILE = fit_profile([seen(crystal(seed)) for seed in range(24)], seed=0, header=HEADER)
MOLECULES = fit_profile([seen(atoms) for atoms in rattled(24, seed=4)], seed=0, header=HEADER)


def require_same(axis: str, first: Atoms, second: Atoms, order=None, within: float = ROUNDING):
    one, two = (PROFILE.score(axis, seen(atoms)) for atoms in (first, second))
    assert two.structure == pytest.approx(one.structure, abs=within)
    if order is not None:
        assert np.allclose(two.atoms, one.atoms[order], atol=within)
    return one


@pytest.mark.parametrize("axis", list(DETECTORS))
@settings(max_examples=4)
@given(st.integers(0, 10**6))
def test_crystals_may_be_turned_moved_wrapped_and_renumbered(axis: str, seed: int) -> None:
    rng = np.random.default_rng(seed)
    atoms = crystal(seed, width=0.15)
    order = rng.permutation(len(atoms))
    moved = atoms[order]
    matrix = Rotation.random(rng=rng).as_matrix()
    moved.set_cell(moved.cell.array @ matrix.T)
    moved.positions = moved.positions @ matrix.T + rng.normal(scale=9.0, size=3)
    moved.positions += rng.integers(-2, 3, (len(atoms), 3)) @ moved.cell.array
    require_same(axis, atoms, moved, order)
    moved.wrap()
    require_same(axis, atoms, moved, order)


OF_THE_CRYSTAL = [axis for axis in DETECTORS if axis not in OF_THE_CELL]
SUPERCELLS = ([[2, 0, 0], [0, 1, 0], [0, 0, 1]], [[1, 0, 0], [2, 1, 0], [0, 1, 2]])


@pytest.mark.parametrize("axis", OF_THE_CRYSTAL)
@settings(max_examples=4)
@given(st.integers(0, 10**6), st.sampled_from(SUPERCELLS))
def test_a_supercell_is_the_same_crystal(axis: str, seed: int, vectors: list[list[int]]) -> None:
    atoms = crystal(seed, width=0.15)
    check_supercell(axis, atoms, vectors)


def check_supercell(axis: str, atoms: Atoms, vectors: list[list[int]]) -> None:
    large = make_supercell(atoms, vectors)
    places = np.tile(np.arange(len(atoms)), len(large) // len(atoms))
    found = require_same(axis, atoms, large, places)
    if axis == "connectivity":
        other = PROFILE.score(axis, seen(bulk("Si", a=7.0))).structure
        assert other > found.structure + NEAR  # so the tolerance shows something


@pytest.mark.parametrize("axis", [axis for axis in OF_THE_CRYSTAL if "connectivity" in axis])
def test_a_supercell_that_is_hardly_rattled_is_nearly_the_same_crystal(axis: str) -> None:
    for seed, times in ((0, (2, 1, 1)), (1, (1, 2, 2))):
        atoms = crystal(seed, width=0.15)
        large = atoms.repeat(times)
        large.positions += np.random.default_rng(seed).normal(scale=2e-3, size=(len(large), 3))
        require_same(axis, atoms, large, within=NEAR * (20 if "unnorm" in axis else 1))


EDGE_CASES = {
    "one atom": Atoms("C"),
    "one unseen atom": Atoms("U"),
    "one atom in a wide cell": Atoms("C", cell=[30, 30, 30], pbc=True),
    "zero edges": Atoms("CHO", positions=[[0, 0, 0], [20, 0, 0], [0, 20, 0]]),
    "an isolated atom in a structure": molecule("CH3OH") + Atoms("H", positions=[[40, 0, 0]]),
    "an isolated atom of an unseen element": molecule("CH4") + Atoms("Xe", [[40, 0, 0]]),
    "two fragments": molecule("CH4") + Atoms("CO", positions=[[40, 0, 0], [41.1, 0, 0]]),
    "an empty slab": Atoms("CC", [[0, 0, 0], [0, 0, 25]], cell=[9, 9, 60], pbc=(1, 1, 0)),
}


@pytest.mark.parametrize("axis", list(DETECTORS))
@pytest.mark.parametrize("case", EDGE_CASES)
def test_every_axis_has_a_finite_score_for_every_graph(axis: str, case: str) -> None:
    atoms = EDGE_CASES[case]
    score = MOLECULES.score(axis, seen(atoms))
    assert np.isfinite(score.structure) and score.structure >= 0.0
    assert score.atoms.shape == (len(atoms),) and np.isfinite(score.atoms).all()
    assert score.reason


def test_what_such_graphs_are_to_the_axes() -> None:
    alone = seen(EDGE_CASES["zero edges"])
    assert alone.spectrum.tolist() == [0.0] * 3  # each atom a component of its own
    assert alone.degrees.tolist() == [0.0] * 3
    assert alone.unnormalised.max() == 0.0
    assert (alone.density[1:] == 65535).all()
    assert len(alone.pairs) == 0
    two = seen(EDGE_CASES["two fragments"])
    assert np.sum(two.spectrum < 1e-9) == 2
    parts = seen(molecule("CH4")), seen(Atoms("CO", positions=[[0, 0, 0], [1.1, 0, 0]]))
    weighted = (5.0 * parts[0].density + 2.0 * parts[1].density) / 7
    assert np.allclose(two.density, weighted, atol=2.0)  # the mean of its parts, in codes


# --- planted bugs -------------------------------------------------------------------------


def without_images(patch) -> None:
    class Blind:
        def __init__(self, **options) -> None:
            self.list = NeighborList(**options)

        def compute(self, points, box, periodic, quantities, **options):
            return self.list.compute(points, box, np.zeros(3, dtype=bool), quantities, **options)

    patch.setattr("farfield.graphs.neighbours.NeighborList", Blind)


def without_translations(patch) -> None:
    patch.setattr(
        "farfield.graphs.spectra.primitive", lambda graph: (graph, np.arange(graph.n_atoms))
    )


def padding_that_unsorts(patch) -> None:
    def after(values, length):
        return np.concatenate([values, np.zeros(max(0, length - len(values)))])

    for module in ("farfield.graphs.spectra", "farfield.shifts.remembered.totals"):
        patch.setattr(importlib.import_module(module), "padded", after)


def dropped_isolated_atom(patch) -> None:
    made = importlib.import_module("tests.shifts.made")
    real = made.neighbour_graph

    def linked(atoms: Atoms, cutoff: float):
        kept = np.unique(real(atoms, cutoff).senders)
        return real(atoms[kept], cutoff)

    patch.setattr(made, "neighbour_graph", linked)


def check_wrapping() -> None:
    atoms = crystal(3, width=0.15)
    atoms.positions += [1.3, 0.7, 2.1]
    wrapped = atoms.copy()
    wrapped.wrap()
    for axis in DETECTORS:
        require_same(axis, atoms, wrapped)


def check_supercells() -> None:
    for axis in OF_THE_CRYSTAL:
        check_supercell(axis, crystal(0), SUPERCELLS[0])


def check_padding() -> None:
    """A methane beside larger molecules: padding goes where the zeros of a spectrum are."""
    sizes = [seen(atoms) for atoms in rattled(12, seed=5)]
    profile = fit_profile(sizes, seed=0, header=HEADER)
    longest = max(one.n_atoms for one in sizes)
    rows = [np.concatenate([np.zeros(longest - one.n_atoms), one.spectrum]) for one in sizes]
    small = seen(molecule("CH4"))
    own = np.concatenate([np.zeros(longest - 5), small.spectrum])
    expected = np.sum((own - np.mean(rows, axis=0)) ** 2)
    assert profile.score("spectrum_padded", small).structure == pytest.approx(expected)
    assert padded_distance(small.spectrum, own) == 0.0


def check_isolated_atom() -> None:
    atoms = molecule("CH4") + Atoms("H", positions=[[30.0, 0, 0]])
    described = seen_graph(atoms)
    assert described.n_atoms == 6
    assert np.sum(described.spectrum < 1e-9) == 2


def seen_graph(atoms: Atoms):
    made = importlib.import_module("tests.shifts.made")
    graph = made.neighbour_graph(atoms, made.CUTOFF)
    return replace(seen(molecule("CH4"), features=False), graph=graph)


PLANTED: list[tuple[Callable, Callable]] = [
    (without_images, check_wrapping),
    (without_images, check_supercells),
    (without_translations, check_supercells),
    (padding_that_unsorts, check_padding),
    (dropped_isolated_atom, check_isolated_atom),
]


@pytest.mark.parametrize(("plant", "check"), PLANTED, ids=lambda case: case.__name__)
def test_the_check_fails_on_the_bug_and_only_then(monkeypatch, plant, check) -> None:
    check()
    with monkeypatch.context() as patch:
        plant(patch)
        with pytest.raises(AssertionError):
            check()
