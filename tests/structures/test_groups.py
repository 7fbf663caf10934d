"""Groups of compositions that are left out of training."""

from __future__ import annotations

import numpy as np
from ase import Atoms
from ase.build import molecule
from hypothesis import given, settings
from hypothesis import strategies as st

from farfield.structures import leave_groups_out

NAMES = ("CH4", "C2H6", "C3H8", "CH3OH", "CH3CH2OH", "CH3CONH2")


@given(
    st.lists(st.sampled_from(NAMES), min_size=1, max_size=40),
    st.integers(1, 6),
    st.integers(0, 5),
    st.booleans(),
)
@settings(max_examples=30, deadline=None)
def test_what_is_left_out(names: list[str], parts: int, seed: int, alone: bool) -> None:
    structures = [molecule(name) for name in names]
    if alone:
        structures += [Atoms(symbol) for symbol in "CHNO"]
    formulas = [atoms.get_chemical_formula() for atoms in structures]
    species = {number for atoms in structures for number in atoms.numbers}
    for left in leave_groups_out(structures, parts, seed):
        assert left.train
        assert left.outside
        together = sorted(left.train + left.inside + left.outside)
        assert together == list(range(len(structures)))
        assert {formulas[index] for index in left.outside} == set(left.group)
        assert not {formulas[i] for i in left.train + left.inside} & left.group
        assert {n for i in left.train for n in structures[i].numbers} == species
        assert all(len(structures[i]) > 1 for i in left.inside + left.outside)


def test_an_element_is_not_lost() -> None:
    structures = [molecule("CH3CONH2"), molecule("C2H6"), molecule("CH4")] * 4
    groups = [left.group for left in leave_groups_out(structures, 3)]
    assert sorted(sorted(group) for group in groups) == [["C2H6"], ["CH4"]]
    structures += [Atoms("N"), Atoms("O")]
    assert len(leave_groups_out(structures, 3)) == 3


def test_one_composition_cannot_be_left_out() -> None:
    assert leave_groups_out([molecule("CH4")] * 5, 4) == []


def test_the_same_seed_gives_the_same_groups() -> None:
    structures = [molecule(name) for name in NAMES for _ in range(6)]
    first, second = (leave_groups_out(structures, 3, seed=1) for _ in range(2))
    assert first == second
    assert np.unique([len(left.inside) for left in first]).tolist() == [4]
