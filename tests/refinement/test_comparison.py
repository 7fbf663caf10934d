"""What is compared without a label."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from farfield.potentials import Prediction
from farfield.refinement.comparison import compare
from farfield.structures import Labels

MAIN = np.array([[3.0, 0.0, 0.0], [-3.0, 0.0, 0.0]])
ASIDE = np.array([[0.0, 2.0, 0.0], [0.0, -2.0, 0.0]])


def seen(main: np.ndarray, cheap: np.ndarray, prior: np.ndarray):
    labels = Labels(0.0, prior, None, "prior")
    return compare(Prediction(0.0, main), Prediction(0.0, cheap), labels)


def test_sizes_are_root_mean_squares() -> None:
    found = seen(MAIN, MAIN, MAIN + ASIDE)
    assert found.residual == pytest.approx(np.sqrt(8.0 / 6.0))
    assert found.prior == pytest.approx(np.sqrt(26.0 / 6.0))


@given(st.floats(-5.0, 5.0), st.floats(0.0, 5.0))
def test_only_what_is_at_right_angles_is_unexplained(along: float, aside: float) -> None:
    found = seen(MAIN, MAIN, along * MAIN + aside * ASIDE)
    assert found.unexplained == pytest.approx(aside * 2.0 / 3.0, abs=1e-9)


@pytest.mark.parametrize("size", [0.0, 1e-6, 0.05])
def test_near_a_minimum_weak_prior_forces_are_no_sign(size: float) -> None:
    unit = MAIN / 3.0
    found = seen(size * unit, size * unit, 0.05 * ASIDE)
    assert found.unexplained == pytest.approx(0.1 * np.sqrt(2 / 6) / 0.1)
