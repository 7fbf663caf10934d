"""Few points that stand for many."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from farfield.shifts.subsample import per_element, same_element, spread


@settings(max_examples=40)
@given(st.lists(st.integers(1, 4), min_size=1, max_size=300), st.integers(1, 40))
def test_per_element_keeps_as_many_as_it_may(numbers: list[int], count: int) -> None:
    numbers = np.array(numbers)
    kept = per_element(numbers, count)
    assert (np.diff(kept) > 0).all()
    for number in np.unique(numbers):
        assert np.sum(numbers[kept] == number) == min(count, np.sum(numbers == number))


@pytest.mark.parametrize("hydrogens", range(2, 11))
@pytest.mark.parametrize("copies", [64, 100, 128, 193, 256])
def test_every_atom_of_a_molecule_is_kept_in_some_copy(hydrogens: int, copies: int) -> None:
    """Even steps would take the same atom of each copy; here each has its fair share."""
    numbers = np.ones(hydrogens * copies, dtype=int)
    which = per_element(numbers, 64) % hydrogens
    counts = np.bincount(which, minlength=hydrogens)
    assert counts.min() >= 0.4 * 64 / hydrogens


def test_per_element_covers_the_whole_set() -> None:
    kept = per_element(np.ones(1000, dtype=int), 50)
    assert kept[0] < 20 and kept[-1] >= 980
    assert np.diff(kept).max() < 40


def test_spread_covers_the_outliers() -> None:
    rng = np.random.default_rng(0)
    points = rng.normal(scale=0.01, size=(200, 2))
    points[[20, 90, 150]] = [[5, 0], [0, 5], [-5, -5]]
    chosen = spread(points, 4)
    assert {20, 90, 150} < set(chosen.tolist())
    assert (np.diff(chosen) > 0).all()
    distance = np.linalg.norm(points[:, None] - points[chosen][None], axis=2).min(axis=1)
    assert distance.max() < 0.1


def test_few_points_are_all_kept() -> None:
    assert spread(np.zeros((3, 2)), 3).tolist() == [0, 1, 2]
    assert len(spread(np.zeros((9, 2)), 3)) == 3


def test_same_element_or_all_when_it_was_never_seen() -> None:
    numbers = np.array([1, 6, 1])
    assert same_element(numbers, 1).tolist() == [True, False, True]
    assert same_element(numbers, 8).tolist() == [True, True, True]
