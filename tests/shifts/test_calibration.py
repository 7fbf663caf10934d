"""Quantiles mean what they say: uniform for training's own kind, near one for others."""

from __future__ import annotations

import numpy as np
import pytest
from ase.build import molecule
from scipy.stats import kstest

from farfield.shifts import DEFAULT, diagnose
from tests.shifts.made import fitted, rattled, seen

N_TRAIN, N_TEST = 400, 300


@pytest.fixture(scope="module")
def profile():
    return fitted(N_TRAIN, seed=11)


@pytest.fixture(scope="module")
def inside(profile):
    structures = rattled(N_TEST, seed=12)
    return diagnose(structures, [seen(atoms) for atoms in structures], profile).structures


@pytest.mark.parametrize("axis", [axis for axis in DEFAULT if axis != "elements"])
def test_quantiles_of_training_s_own_kind_are_uniform(inside, axis: str) -> None:
    quantiles = [found.quantiles[axis] for found in inside]
    assert kstest(quantiles, "uniform").statistic < 0.12
    atoms = np.concatenate([found.atom_quantiles[axis] for found in inside])
    assert abs(np.mean(atoms > 0.9) - 0.1) < 0.04


def test_one_in_a_hundred_of_training_s_own_kind_is_outside(inside) -> None:
    verdicts = [found.verdict for found in inside]
    assert verdicts.count("outside") <= 0.03 * N_TEST
    assert 0.01 * N_TEST <= N_TEST - verdicts.count("inside") <= 0.10 * N_TEST
    quantiles = [found.quantile for found in inside]
    assert kstest(quantiles, "uniform", alternative="less").statistic < 0.12  # not too large
    assert kstest(quantiles, "uniform").statistic < 0.25  # a full profile is nearer than folds


@pytest.mark.parametrize(
    ("names", "width", "axis"),
    [(["CH3CH2Cl"], 0.06, "elements"), (["C6H6"], 0.06, "connectivity"), (None, 0.25, None)],
    ids=["element", "benzene", "hot"],
)
def test_what_is_far_is_outside(profile, names, width, axis) -> None:
    structures = rattled(20, seed=13, width=width, **({"names": names} if names else {}))
    found = diagnose(structures, [seen(atoms) for atoms in structures], profile).structures
    assert np.mean([structure.verdict == "outside" for structure in found]) >= 0.9
    if axis is not None:
        assert all(structure.quantiles[axis] == 1.0 for structure in found)


def test_the_strange_atoms_of_a_strange_structure_are_marked(profile) -> None:
    atoms = rattled(1, seed=14, names=["CH3CH2OH"], width=0.02)[0]
    atoms.positions[8] += 0.5 * (atoms.positions[8] - atoms.positions[1])  # stretch one bond
    (found,) = diagnose([atoms], [seen(atoms)], profile).structures
    for axis in ("connectivity", "representation"):
        others, strange = found.atom_quantiles[axis][:8], found.atom_quantiles[axis][8]
        assert strange > 0.99
        assert others.max() < strange


def test_the_elements_axis_is_calibrated_from_above() -> None:
    """Its scores are few and tied, so no quantile of a known molecule may be near one."""
    structures = rattled(40, seed=20, names=["CH4"])
    profile = fitted(60, seed=19)
    known = diagnose(structures, [seen(atoms) for atoms in structures], profile).structures
    assert max(found.quantiles["elements"] for found in known) == 0.0
    (rare,) = diagnose([molecule("NH3")], [seen(molecule("NH3"))], profile).structures
    assert rare.quantiles["elements"] == 1.0
