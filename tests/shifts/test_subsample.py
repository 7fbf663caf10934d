"""Few points that stand for many."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from farfield.shifts.remembered.subsample import first_of_each, same_element, spread


@settings(max_examples=40)
@given(st.lists(st.integers(1, 4), min_size=1, max_size=300), st.integers(1, 40))
def test_the_first_of_each_element_are_as_many_as_may_be(numbers: list[int], count: int) -> None:
    numbers = np.array(numbers)
    kept = first_of_each(numbers, count)
    assert (np.diff(kept) > 0).all()
    for number in np.unique(numbers):
        places = np.flatnonzero(numbers == number)
        assert np.array_equal(kept[numbers[kept] == number], places[:count])


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
