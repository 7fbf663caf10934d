"""Without a prior head, the error is told by the axis that ranks the held-out errors best."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from farfield.shifts import Observation, Profile
from farfield.shifts.profile import fit
from tests.shifts.made import rattled, seen

HEADER = {"model": "toy"}
TRAIN = [seen(atoms, residual=False) for atoms in rattled(20, seed=1)]
HELD_OUT = [seen(atoms, residual=False) for atoms in rattled(40, seed=2)]


def fitted(sizes: np.ndarray) -> Profile:
    """Held-out structures whose force errors have these mean norms, eV/Å."""
    held_out: list[Observation] = []
    for item, size in zip(HELD_OUT, sizes, strict=True):
        error = np.zeros((item.n_atoms, 3))
        error[:, 0] = size
        held_out.append(replace(item, force_error=error))
    return fit(TRAIN, seed=0, header=HEADER, held_out=held_out)


@pytest.mark.parametrize("axis", ["force_norm", "representation"])
def test_the_axis_that_ranks_the_errors_is_taken(axis: str) -> None:
    plain = fitted(np.ones(len(HELD_OUT)))
    scores = np.array([plain.score(axis, item).structure for item in HELD_OUT])
    found = fitted(0.1 + 3.0 * scores).error_calibration
    assert found is not None
    assert found.axis == axis
    middle = HELD_OUT[int(np.argsort(scores)[20])]
    estimate = found.estimate(plain.score(axis, middle))
    assert estimate.expected == pytest.approx(0.1 + 3.0 * np.median(scores), rel=0.1)


def test_the_prior_residual_comes_first() -> None:
    held_out = [
        replace(seen(atoms), force_error=seen(atoms).forces) for atoms in rattled(40, seed=2)
    ]
    train = [seen(atoms) for atoms in rattled(20, seed=1)]
    found = fit(train, seed=0, header=HEADER, held_out=held_out).error_calibration
    assert found is not None
    assert found.axis == "prior_residual"
