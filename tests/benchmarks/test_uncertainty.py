"""Scores against errors: planted relations come out, and nothing else does."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import spearmanr

from farfield.benchmarks.results.metrics import (
    auroc,
    calibration_error,
    coverage,
    excess_risk,
    risk_coverage,
    spearman,
    worst,
)
from farfield.benchmarks.uncertainty import compare_scores
from farfield.errors import ConfigError


@pytest.fixture(autouse=True)
def few_resamples(monkeypatch) -> None:
    monkeypatch.setattr("farfield.benchmarks.results.metrics.RESAMPLES", 300)


def test_rank_correlation_by_hand() -> None:
    errors = np.array([1.0, 2.0, 3.0, 4.0])
    assert spearman(np.exp(errors), errors) == pytest.approx(1.0)
    assert spearman(-errors, errors) == pytest.approx(-1.0)
    assert spearman(np.array([1.0, 1.0, 2.0, 2.0]), errors) == pytest.approx(0.8944, abs=1e-4)
    assert np.isnan(spearman(np.ones(4), errors))
    rng = np.random.default_rng(1)
    for scores in (rng.normal(size=50), rng.integers(0, 5, size=50).astype(float)):
        other = scores + rng.normal(size=50)
        assert spearman(scores, other) == pytest.approx(spearmanr(scores, other).statistic)


def test_the_worst_tenth() -> None:
    errors = np.arange(40.0)[::-1]
    assert np.flatnonzero(worst(errors)).tolist() == [0, 1, 2, 3]
    assert worst(np.arange(5.0)).tolist() == [False] * 4 + [True]
    assert worst(np.array([0.0, 1.0, 1.0]), share=0.34).tolist() == [False, True, True]


def test_coverage_and_calibration_error_by_hand() -> None:
    errors = np.array([0.1, 0.2, 0.3, 0.4])
    assert coverage(errors, np.array([0.1, 0.1, 0.5, 0.5])) == 0.75
    assert calibration_error(errors + 0.05, errors) == pytest.approx(0.05)
    expected = np.array([0.4, 0.1, 0.3, 0.2])  # halves by expected error: (1, 3) and (2, 0)
    true = np.array([0.0, 0.2, 0.4, 0.0])
    assert calibration_error(expected, true, bins=2) == pytest.approx((0.05 + 0.15) / 2)


def test_risk_against_coverage_by_hand() -> None:
    errors = np.array([4.0, 1.0, 2.0, 3.0])
    assert risk_coverage(errors, errors).tolist() == [1.0, 1.5, 2.0, 2.5]
    assert risk_coverage(errors, -errors).tolist() == [4.0, 3.5, 3.0, 2.5]
    tied = np.array([1.0, 1.0, 0.0, 1.0])  # the third first, the others in no order
    assert risk_coverage(errors, tied) == pytest.approx([2.0, 7 / 3, 22 / 9, 2.5])
    assert excess_risk(np.exp(errors), errors) == 0.0
    assert excess_risk(np.zeros(4), errors) == pytest.approx(1.0)
    assert excess_risk(-errors, errors) == pytest.approx(2.0)
    assert np.isnan(excess_risk(errors, np.ones(4)))


def test_a_good_score_is_told_from_a_bad_one() -> None:
    rng = np.random.default_rng(0)
    errors = np.exp(rng.normal(size=300))
    scores = {
        "exact": errors**3,
        "noisy": np.log(errors) + rng.normal(size=300),
        "none": rng.normal(size=300),
    }
    exact, noisy, none = compare_scores(errors, scores)
    assert [row.score for row in (exact, noisy, none)] == list(scores)
    assert (exact.auroc.value, exact.spearman.value) == (1.0, pytest.approx(1.0))
    assert none.auroc.low < 0.5 < none.auroc.high
    assert none.spearman.low < 0.0 < none.spearman.high
    assert noisy.spearman.low < 0.69 < noisy.spearman.high  # of normals correlated at 0.71
    assert exact.excess_risk.value == 0.0
    assert none.excess_risk.low < 1.0 < none.excess_risk.high
    assert 0.0 < noisy.excess_risk.low < noisy.excess_risk.high < 0.7
    assert 0.75 < noisy.auroc.low < noisy.auroc.value < noisy.auroc.high < 1.0
    large = worst(errors)
    assert noisy.auroc.value == auroc(scores["noisy"][~large], scores["noisy"][large])


def test_all_scores_are_judged_on_the_same_structures() -> None:
    errors = np.arange(1.0, 21.0)
    lacking = errors.copy()
    lacking[[3, 19]] = np.nan
    first, second = compare_scores(errors, {"whole": errors, "lacking": lacking})
    assert first.n_structures == second.n_structures == 18
    assert first.auroc == second.auroc
    with pytest.raises(ConfigError, match="whole has 19 scores for 20 errors"):
        compare_scores(errors, {"whole": errors[1:]})
    with pytest.raises(ConfigError, match="0 structures have an error and all scores"):
        compare_scores(errors, {"lacking": np.full(20, np.nan)})
    with pytest.raises(ConfigError, match="different errors"):
        compare_scores(np.ones(5), {"whole": np.arange(5.0)})
