"""Splits are disjoint, complete, nearly equal and the same for the same seed."""

from __future__ import annotations

import pytest
from ase import Atoms
from ase.build import molecule
from hypothesis import given
from hypothesis import strategies as st

from farfield.errors import StructureError
from farfield.structures import folds, halves


@given(st.integers(0, 60), st.integers(1, 12), st.integers(0, 2**32 - 1))
def test_folds(count: int, parts: int, seed: int) -> None:
    split = folds(count, parts, seed)
    assert len(split) == min(count, parts)
    assert sorted(index for part in split for index in part) == list(range(count))
    assert all(part == sorted(part) for part in split)
    sizes = [len(part) for part in split]
    assert not sizes or 1 <= max(sizes) <= min(sizes) + 1
    assert split == folds(count, parts, seed)


def test_folds_depend_on_the_seed() -> None:
    assert folds(50, 5, seed=1) != folds(50, 5, seed=2)


def test_folds_without_parts() -> None:
    with pytest.raises(ValueError, match="0 parts"):
        folds(5, 0, seed=1)


@pytest.mark.parametrize("count", [2, 3, 10, 11])
def test_halves(count: int) -> None:
    structures = [molecule("H2O") for _ in range(count)]
    first, second = halves(structures, seed=3)
    assert len(first) + len(second) == count
    assert 0 <= len(first) - len(second) <= 1
    assert {id(atoms) for atoms in [*first, *second]} == {id(atoms) for atoms in structures}
    again, _ = halves(structures, seed=3)
    assert list(map(id, again)) == list(map(id, first))


@pytest.mark.parametrize("structures", [[], [molecule("H2O")]])
def test_halves_of_too_few(structures: list[Atoms]) -> None:
    with pytest.raises(StructureError, match="at least 2"):
        halves(structures, seed=0)
