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
from farfield.shifts.profile_files import load, save
from tests.shifts.made import fitted, seen

RATIO = 2.0  # of error to residual, on average


def made(
    count: int, seed: int, widest: float = 1.0, scatter: float = 0.3
) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Residuals of 0.05 to ``widest`` eV/Å on 5 to 12 atoms; errors about twice as large."""
    rng = np.random.default_rng(seed)
    residuals, errors = [], []
    for _ in range(count):
        n_atoms = int(rng.integers(5, 13))
        residual = rng.normal(size=(n_atoms, 3)) * rng.uniform(0.05, widest)
        residuals.append(residual)
        factor = RATIO * np.exp(scatter * rng.normal())  # one for the whole structure
        errors.append(factor * residual[:, [1, 2, 0]])  # of another direction
    return residuals, errors


def mean_norm(forces: np.ndarray) -> float:
    return float(np.linalg.norm(forces, axis=1).mean())


def test_an_exact_relation_is_found() -> None:
    residuals, errors = made(60, seed=0, scatter=0.0)
    found = calibrate(residuals, errors)
    assert found.n_structures == 60
    assert found.factor == pytest.approx(1.0, abs=0.15)
    for residual, error in list(zip(residuals, errors, strict=True))[:20]:
        estimate = found.estimate(residual * 0.9)
        assert estimate.expected == pytest.approx(0.9 * mean_norm(error), rel=0.2)
        assert estimate.upper_90 == found.factor * estimate.expected
        per_atom = 0.9 * np.linalg.norm(error, axis=1)
        inside = np.isfinite(estimate.atoms)
        assert inside.mean() > 0.9
        assert np.allclose(estimate.atoms[inside], per_atom[inside], rtol=0.1, atol=0.05)
        assert estimate.note == ""


def test_nine_in_ten_errors_are_below_the_bound() -> None:
    shares, within = [], []
    for seed in range(20):
        found = calibrate(*made(120, seed=seed), seed=seed)
        for residual, error in zip(*made(200, seed=1000 + seed), strict=True):
            estimate = found.estimate(residual)
            if estimate.upper_90 is not None:
                shares.append(mean_norm(error) <= estimate.upper_90)
                within.append(estimate.expected / (RATIO * mean_norm(residual)))
    assert 0.87 < np.mean(shares) < 0.95
    assert np.median(within) == pytest.approx(1.05, abs=0.08)  # the mean of exp(0.3 x), x normal
    assert len(shares) > 0.9 * 20 * 200


def test_no_estimate_beyond_the_calibrated_range() -> None:
    residuals, errors = made(60, seed=2)
    found = calibrate(residuals, errors)
    end = found.structures.residuals[-1]
    residual = np.zeros((4, 3))
    residual[:, 0] = 1.001 * end
    estimate = found.estimate(residual)
    assert (estimate.expected, estimate.upper_90) == (None, None)
    assert estimate.note == (
        f"its residual of {1.001 * end:.3g} eV/Å lies beyond the calibrated range, which ends "
        f"at {end:.3g}"
    )
    assert found.estimate(0.999 / 1.001 * residual).expected is not None
    one_far = np.zeros((4, 3))
    one_far[2, 1] = 1.001 * found.atoms.residuals[-1]
    atoms = found.estimate(one_far).atoms
    assert np.isnan(atoms).tolist() == [False, False, True, False]
    least = found.structures(np.array([0.0]))
    assert least == found.structures.errors[0] > 0.0


def test_the_map_rises_and_is_the_mean_where_the_data_fall() -> None:
    residuals = np.array([0.4, 0.1, 0.2, 0.3, 0.3])
    errors = np.array([9.0, 1.0, 6.0, 3.0, 5.0])
    found = isotonic_map(residuals, errors)
    assert found.residuals.tolist() == [0.1, 0.2, 0.3, 0.4]
    assert found.errors == pytest.approx([1.0, 14 / 3, 14 / 3, 9.0])
    assert found(np.array([0.15, 0.05, 0.25])) == pytest.approx([17 / 6, 1.0, 14 / 3])
    assert isotonic_map(np.array([1.0, 2.0]), np.zeros(2)).errors.min() > 0.0


def test_conformal_quantiles_by_hand() -> None:
    scores = np.arange(1.0, 20.0)[::-1]  # 19 scores: the 18th of them covers 18 in 20
    assert conformal_quantile(scores, 0.9) == 18.0
    assert conformal_quantile(scores[:9], 0.9) == scores[:9].max()
    assert conformal_quantile(scores[:8], 0.9) == np.inf


def test_groups_are_not_split() -> None:
    """Two kinds of molecules, the second with errors five times as large for the same residual."""
    residuals, errors = made(80, seed=3, scatter=0.05)
    errors = [(5.0 if index % 2 else 1.0) * error for index, error in enumerate(errors)]
    split = calibrate(residuals, errors, groups=[index % 2 for index in range(80)])
    mixed = calibrate(residuals, errors)
    ratios = [5.0, 1.0]  # the bound is judged on the kind that the map has not seen
    assert min(abs(split.factor - ratio) / ratio for ratio in ratios) < 0.35
    assert 1.3 < mixed.factor < 2.5
    with pytest.raises(ProfileError, match="at least two groups, got one"):
        calibrate(residuals, errors, groups=["same"] * 80)
    with pytest.raises(ProfileError, match="needs more than 4 structures"):
        calibrate(residuals, errors, groups=["few"] * 4 + ["many"] * 76, seed=_many_first())


def _many_first() -> int:
    from farfield.structures import folds

    return next(seed for seed in range(10) if folds(2, 2, seed)[0] == [1])


def test_too_few_structures() -> None:
    with pytest.raises(ProfileError, match="at least 30 labelled held-out structures, got 29"):
        calibrate(*made(29, seed=4))


def test_a_file_gives_back_the_calibration_and_the_diagnosis_uses_it(tmp_path: Path) -> None:
    calibration = calibrate(*made(60, seed=5))
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
    assert found[0].error.expected == calibration.estimate(near.residual).expected
    assert found[0].error.atoms.shape == (6,)
    assert (found[1].error.expected, found[1].error.upper_90) == (None, None)
    assert "beyond the calibrated range" in found[1].error.note
    assert found[2].error is None


def load_without(profile, path: Path):
    save(replace(profile, error_calibration=None), path)
    return load(path).error_calibration


def test_a_map_is_never_extrapolated() -> None:
    line = ErrorMap(np.array([1.0, 2.0]), np.array([3.0, 4.0]))
    assert line(np.array([0.0, 1.5, 2.0])).tolist() == [3.0, 3.5, 4.0]
    assert np.isnan(line(np.array([2.0001]))).all()
