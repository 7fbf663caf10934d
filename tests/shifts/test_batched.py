"""Many structures at once, and structures too large for dense matrices."""

from __future__ import annotations

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk, molecule
from numpy.testing import assert_allclose

from farfield.graphs import EXACT_ATOMS
from farfield.shifts import diagnose, observe
from farfield.shifts.detectors import DETECTORS
from farfield.shifts.profile import VERSION, Profile, fit
from farfield.shifts.remembered.densities import (
    distances,
    local_distances,
    nearest_distances,
    nearest_local_distances,
)

CUTOFF = 4.0
NAMES = ("CH3CH2OH", "C6H6", "CH4", "H2O", "CH3OH", "C2H6")


def rattled(atoms: Atoms, seed: int, width: float = 0.08) -> Atoms:
    moved = atoms.copy()
    moved.positions += np.random.default_rng(seed).normal(scale=width, size=moved.positions.shape)
    return moved


def profile_of(structures: list[Atoms]) -> Profile:
    header = {"version": VERSION, "cutoff": CUTOFF}
    return fit(observe(structures, cutoff=CUTOFF), seed=0, header=header)


TRAINING = [rattled(molecule(NAMES[seed % 6]), seed) for seed in range(36)]
UNUSUAL = [
    molecule("SO2"),
    molecule("CH3SH"),
    Atoms("He"),
    Atoms("H"),
    Atoms("CO2", positions=[[0, 0, 0], [50, 0, 0], [0, 50, 0]]),
    molecule("CO2"),
    bulk("NaCl", "rocksalt", a=5.6),
    molecule("CH4") + Atoms("Ne", positions=[[30.0, 0, 0]]),
]
TEST = [*UNUSUAL, *(rattled(molecule(NAMES[seed % 6]), 100 + seed, 0.2) for seed in range(30))]


@pytest.fixture(scope="module")
def profile() -> Profile:
    return profile_of(TRAINING)


def test_scores_of_many_are_those_of_each(profile: Profile) -> None:
    for axis in profile.axes:
        detector, state = DETECTORS[axis], profile.axes[axis].state
        together = detector.score_all(observe(TEST, cutoff=CUTOFF), state)
        for atoms, score in zip(TEST, together, strict=True):
            alone = detector.score(observe([atoms], cutoff=CUTOFF)[0], state)
            assert score.structure == pytest.approx(alone.structure, abs=1e-12)
            assert_allclose(score.atoms, alone.atoms, atol=1e-12)
            assert score.reason == alone.reason


def test_a_diagnosis_of_many_is_that_of_each(profile: Profile) -> None:
    together = diagnose(TEST, observe(TEST, cutoff=CUTOFF), profile).structures
    for atoms, found in zip(TEST, together, strict=True):
        alone = diagnose([atoms], observe([atoms], cutoff=CUTOFF), profile).structures[0]
        assert found.formula == alone.formula == atoms.get_chemical_formula()
        assert (found.sentence, found.verdict) == (alone.sentence, alone.verdict)
        assert found.quantile == profile.combined_quantile(found.quantiles)
        assert found.scores == pytest.approx(alone.scores, abs=1e-12)
        for axis, score in found.scores.items():
            assert found.quantiles[axis] == profile.quantile(axis, score)
            assert_allclose(found.atom_quantiles[axis], alone.atom_quantiles[axis])


def test_nearest_codes_are_the_minimum_of_the_tables() -> None:
    seen = observe(TEST, cutoff=CUTOFF)
    whole = np.stack([one.density for one in seen])
    local = np.concatenate([one.local_densities for one in seen])
    first, second = whole[::2], whole[1::2]
    assert_allclose(nearest_distances(first, second), distances(first, second).min(axis=1))
    first, second = local[::2], local[1::2]
    found = nearest_local_distances(first, second)
    assert_allclose(found, local_distances(first, second).min(axis=1), atol=1e-12)


def test_a_large_structure_is_scored_without_dense_matrices(monkeypatch) -> None:
    cell = bulk("NaCl", "rocksalt", a=5.64, cubic=True)
    profile = profile_of([rattled(cell.repeat(3), seed) for seed in range(12)])
    large = rattled(cell.repeat((6, 6, 5)), 50)
    assert len(large) > EXACT_ATOMS

    for name in ("eigh", "eigvalsh"):
        real = getattr(np.linalg, name)
        monkeypatch.setattr(np.linalg, name, lambda matrix, real=real: refused_by(real, matrix))
    like = diagnose([large], observe([large], cutoff=CUTOFF), profile).structures[0]
    other = rattled(cell.repeat((6, 6, 5)), 50, 0.5)
    unlike = diagnose([other], observe([other], cutoff=CUTOFF), profile).structures[0]
    assert "estimated" in like.reasons["connectivity"]
    assert like.scores["connectivity"] < unlike.scores["connectivity"]
    assert unlike.quantiles["connectivity"] == 1.0
    low, high = (np.median(one.atom_quantiles["connectivity"]) for one in (like, unlike))
    assert low < 0.9 < high
    assert len(like.atom_quantiles["connectivity"]) == len(large)


def refused_by(real, matrix):
    assert matrix.shape[-1] <= EXACT_ATOMS
    return real(matrix)
