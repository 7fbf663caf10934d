"""From residual to force error: planted relations are found, bounds hold as often as said."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from ase.build import molecule

from farfield.errors import ProfileError
from farfield.shifts import calibrate, diagnose
from farfield.shifts.calibration import ErrorMap, conformal_quantile, isotonic_map
from farfield.shifts.contract import Norms, Score
from farfield.shifts.profile_files import load, save
from tests.shifts.made import fitted, seen

RATIO = 2.0  # of error to residual, on average
AXIS = "prior_residual"


def made(
    count: int, seed: int, widest: float = 1.0, scatter: float = 0.3
) -> tuple[list[Score], list[Norms]]:
    """Residuals of 0.05 to ``widest`` eV/Å on 5 to 12 atoms; errors about twice as large."""
    rng = np.random.default_rng(seed)
    scores, errors = [], []
    for _ in range(count):
        n_atoms = int(rng.integers(5, 13))
        residual = rng.normal(size=(n_atoms, 3)) * rng.uniform(0.05, widest)
        scores.append(score(residual))
        factor = RATIO * np.exp(scatter * rng.normal())  # one for the whole structure
        errors.append(norms(factor * residual))
    return scores, errors


def norms(vectors: np.ndarray) -> Norms:
    found = np.linalg.norm(vectors, axis=1)
    return Norms(found.mean(), found)


def score(residual: np.ndarray) -> Score:
    found = norms(residual)
    return Score(found.mean, found.atoms, "")


def wider(factor: float, given: Norms) -> Norms:
    return Norms(factor * given.mean, factor * given.atoms)


def times(factor: float, given: Score) -> Score:
    return Score(factor * given.structure, factor * given.atoms, "")


def test_an_exact_relation_is_found() -> None:
    scores, errors = made(60, seed=0, scatter=0.0)
    found = calibrate(AXIS, scores, errors)
    assert (found.axis, found.n_structures) == (AXIS, 60)
    assert found.factor == pytest.approx(1.0, abs=0.15)
    for given, error in list(zip(scores, errors, strict=True))[:20]:
        estimate = found.estimate(times(0.9, given))
        assert estimate.expected == pytest.approx(0.9 * error.mean, rel=0.2)
        assert estimate.upper_90 == found.factor * estimate.expected
        per_atom = 0.9 * error.atoms
        inside = np.isfinite(estimate.atoms)
        assert inside.mean() > 0.9
        assert np.allclose(estimate.atoms[inside], per_atom[inside], rtol=0.1, atol=0.05)
        assert estimate.note == ""


def test_nine_in_ten_errors_are_below_the_bound() -> None:
    shares, within = [], []
    for seed in range(20):
        found = calibrate(AXIS, *made(120, seed=seed), seed=seed)
        for given, error in zip(*made(200, seed=1000 + seed), strict=True):
            estimate = found.estimate(given)
            if estimate.upper_90 is not None:
                shares.append(error.mean <= estimate.upper_90)
                within.append(estimate.expected / (RATIO * given.structure))
    assert 0.87 < np.mean(shares) < 0.95
    assert np.median(within) == pytest.approx(1.05, abs=0.08)  # the mean of exp(0.3 x), x normal
    assert len(shares) > 0.9 * 20 * 200


def test_no_estimate_beyond_the_calibrated_range() -> None:
    found = calibrate(AXIS, *made(60, seed=2))
    end = found.structures.scores[-1]
    far = Score(1.001 * end, np.full(4, 1.001 * end), "")
    estimate = found.estimate(far)
    assert (estimate.expected, estimate.upper_90) == (None, None)
    assert estimate.note == (
        f"its score of {1.001 * end:.3g} lies beyond the calibrated range, which ends at {end:.3g}"
    )
    assert found.estimate(times(0.999 / 1.001, far)).expected is not None
    one_far = np.zeros((4, 3))
    one_far[2, 1] = 1.001 * found.atoms.scores[-1]
    atoms = found.estimate(score(one_far)).atoms
    assert np.isnan(atoms).tolist() == [False, False, True, False]
    least = found.structures(np.array([0.0]))
    assert least == found.structures.errors[0] > 0.0


def test_the_map_rises_and_is_the_mean_where_the_data_fall() -> None:
    scores = np.array([0.4, 0.1, 0.2, 0.3, 0.3])
    errors = np.array([9.0, 1.0, 6.0, 3.0, 5.0])
    found = isotonic_map(scores, errors)
    assert found.scores.tolist() == [0.1, 0.2, 0.3, 0.4]
    assert found.errors == pytest.approx([1.0, 14 / 3, 14 / 3, 9.0])
    assert found(np.array([0.15, 0.05, 0.25])) == pytest.approx([17 / 6, 1.0, 14 / 3])
    assert isotonic_map(np.array([1.0, 2.0]), np.zeros(2)).errors.min() > 0.0


def test_conformal_quantiles_by_hand() -> None:
    scores = np.arange(1.0, 20.0)[::-1]  # 19 scores: the 18th of them covers 18 in 20
    assert conformal_quantile(scores, 0.9) == 18.0
    assert conformal_quantile(scores[:9], 0.9) == scores[:9].max()
    assert conformal_quantile(scores[:8], 0.9) == np.inf


def shifted(ratios: list[float]) -> tuple[list[Score], list[Norms], list[int | None]]:
    """Forty structures like training, and groups of twenty with wider residuals each."""
    scores, errors = made(40, seed=3, widest=0.3, scatter=0.1)
    groups: list[int | None] = [None] * 40
    for group, ratio in enumerate(ratios):
        more, theirs = made(20, seed=10 + group, widest=0.6 + 0.3 * group, scatter=0.1)
        scores += more
        errors += [wider(ratio, error) for error in theirs]
        groups += [group] * 20
    return scores, errors, groups


def test_shifted_groups_extend_the_range() -> None:
    scores, errors, groups = shifted([1.0, 1.0, 1.0])
    found = calibrate(AXIS, scores, errors, groups=groups)
    assert found.factor < 1.4
    beyond = Score(3 * found.structures.scores[-1], np.zeros(4), "")
    estimate = found.estimate(beyond)
    assert estimate.expected == pytest.approx(RATIO * beyond.structure, rel=0.25)
    assert "taken to grow in proportion" in estimate.note
    without = calibrate(AXIS, scores[:40], errors[:40])
    assert without.estimate(beyond).expected is None


def test_each_group_is_judged_by_a_map_that_has_not_seen_it() -> None:
    """One group errs three times as much at the same score: its own map would hide that."""
    scores, errors, groups = shifted([1.0, 3.0])
    found = calibrate(AXIS, scores, errors, groups=groups)
    assert found.factor > 2.3
    blind = calibrate(AXIS, scores, errors, groups=list(range(len(scores))))
    assert blind.factor < found.factor


def test_the_bound_holds_in_every_group() -> None:
    """One group of four scatters widely: nine in ten of all would leave out most of it."""
    scores, errors, groups = shifted([1.0, 1.0, 1.0, 1.0])
    rng = np.random.default_rng(6)
    wild = [place for place, group in enumerate(groups) if group == 2]
    for place in wild:
        errors[place] = wider(np.exp(abs(rng.normal())), errors[place])
    found = calibrate(AXIS, scores, errors, groups=groups)
    covered = [errors[place].mean <= found.estimate(scores[place]).upper_90 for place in wild]
    assert np.mean(covered) >= 0.9


def test_one_group_is_no_evidence_of_how_groups_differ() -> None:
    scores, errors, _ = shifted([1.0])
    with pytest.raises(ProfileError, match="at least two groups, got one"):
        calibrate(AXIS, scores, errors, groups=["same"] * len(scores))


def test_too_few_structures() -> None:
    with pytest.raises(ProfileError, match="at least 30 labelled held-out structures, got 29"):
        calibrate(AXIS, *made(29, seed=4))


def test_a_file_gives_back_the_calibration_and_the_diagnosis_uses_it(tmp_path: Path) -> None:
    calibration = calibrate(AXIS, *made(60, seed=5))
    profile = replace(fitted(12), error_calibration=calibration)
    save(profile, tmp_path / "profile")
    again = load(tmp_path / "profile").error_calibration
    for key, value in calibration.arrays().items():
        assert np.array_equal(again.arrays()[key], value)
    assert load_without(profile, tmp_path / "bare") is None

    near, far, lacking = (seen(molecule("CH3OH")) for _ in range(3))
    far = replace(far, residual=far.residual * 100)
    lacking = replace(lacking, residual=None, prior_failure="no convergence")
    found = diagnose([molecule("CH3OH")] * 3, [near, far, lacking], profile).structures
    assert found[0].error.expected == calibration.estimate(score(near.residual)).expected
    assert found[0].error.atoms.shape == (6,)
    assert (found[1].error.expected, found[1].error.upper_90) == (None, None)
    assert "beyond the calibrated range" in found[1].error.note
    assert found[2].error is None


def load_without(profile, path: Path):
    save(replace(profile, error_calibration=None), path)
    return load(path).error_calibration


def test_a_map_ends_unless_it_extends() -> None:
    line = ErrorMap(np.array([1.0, 2.0]), np.array([3.0, 4.0]))
    assert line(np.array([0.0, 1.5, 2.0])).tolist() == [3.0, 3.5, 4.0]
    assert np.isnan(line(np.array([2.0001]))).all()
    longer = replace(line, extends=True)
    assert longer(np.array([0.0, 1.5, 2.0, 3.0])).tolist() == [3.0, 3.5, 4.0, 6.0]
