from __future__ import annotations

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk, molecule

from farfield.errors import ConfigError
from farfield.priors import NoisePrior, ZBLPrior, compute, load_prior
from farfield.testing import check_prior

COUNT = 150


def frames(displacement=0.05):
    generator = np.random.default_rng(0)
    found = [molecule("CH3CH2OH") for _ in range(COUNT)]
    for atoms in found:
        atoms.positions += generator.normal(0.0, displacement, atoms.positions.shape)
    return found


def forces(prior, structures):
    return np.array([compute(prior, atoms).forces for atoms in structures])  # (frames, N, 3)


def correlation(one, other):
    return float(np.corrcoef(one.ravel(), other.ravel())[0, 1])


def test_it_keeps_the_contract_and_declares_that_it_is_no_gradient():
    check_prior(NoisePrior(0.5))
    assert not NoisePrior(0.5).conservative


def test_its_size_is_the_given_one_and_its_mean_zero():
    found = forces(NoisePrior(0.3), frames())
    assert np.sqrt((found**2).mean()) == pytest.approx(0.3, rel=0.03)
    error = 0.3 / np.sqrt(COUNT)  # of the mean of each component of each atom
    assert np.abs(found.mean(axis=0)).max() < 4.5 * error
    tail = np.mean(np.abs(found) > 2 * 0.3)
    assert 0.02 < tail < 0.08  # of a Gaussian: 0.046


def test_it_comes_back_the_same_and_changes_with_the_slightest_motion():
    given = frames()
    moved = [atoms.copy() for atoms in given]
    generator = np.random.default_rng(1)
    for atoms in moved:
        atoms.positions += generator.normal(0.0, 0.003, atoms.positions.shape)
    first = forces(NoisePrior(0.3), given)
    np.testing.assert_array_equal(first, forces(NoisePrior(0.3), given))
    assert abs(correlation(first, forces(NoisePrior(0.3), moved))) < 0.05


def test_seeds_are_independent():
    given = [
        Atoms("C8", positions=np.random.default_rng(k).uniform(0, 4, (8, 3))) for k in range(50)
    ]
    first, second = (forces(NoisePrior(0.3, seed), given) for seed in (0, 1))
    assert abs(correlation(first, second)) < 0.1
    assert NoisePrior(0.3).level_of_theory != NoisePrior(0.3, 1).level_of_theory
    assert NoisePrior(0.3).name != NoisePrior(0.3, 1).name


def test_it_tells_nothing_of_the_true_forces():
    given = frames()
    assert abs(correlation(forces(NoisePrior(0.3), given), forces(ZBLPrior(), given))) < 0.05


def test_its_energy_is_zero_and_a_lone_atom_has_none():
    assert all(compute(NoisePrior(0.3), atoms).energy == 0.0 for atoms in frames()[:3])
    assert not compute(NoisePrior(0.3), Atoms("C")).forces.any()


def test_a_perfect_crystal_stays_perfect():
    assert np.abs(compute(NoisePrior(0.3), bulk("Cu")).forces).max() < 1e-6


def test_it_is_named_by_its_size():
    assert load_prior("noise-0.5").name == "noise_0_5"
    assert load_prior("noise-1e-3").name == "noise_0_001"
    assert load_prior("noise-0.5").level_of_theory == NoisePrior(0.5).level_of_theory


@pytest.mark.parametrize("rms", ["0", "-1", "nan", "inf"])
def test_an_impossible_size_is_refused(rms):
    with pytest.raises(ConfigError, match="must be positive"):
        load_prior(f"noise-{rms}")


def test_a_size_that_is_no_number_is_refused():
    with pytest.raises(ConfigError, match=r"not of the form noise-RMS"):
        load_prior("noise-loud")
    with pytest.raises(ConfigError, match="negative"):
        NoisePrior(0.5, seed=-1)
