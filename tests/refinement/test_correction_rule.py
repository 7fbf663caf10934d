"""β: its limits, and whether it is learned from what is planted."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from farfield.refinement.comparison import Comparison
from farfield.refinement.correction.evidence import BETAS, Evidence, learn_rule
from farfield.refinement.correction.rule import CorrectionRule, cautious

SHARES = st.floats(0.0, 1.0)
POSITIVE = st.floats(1e-3, 1e3)


@given(SHARES, SHARES, POSITIVE, POSITIVE)
def test_beta_lies_between_its_limits(inside: float, far: float, scale: float, size: float) -> None:
    rule = CorrectionRule("gfn2", "gfn2", scale, inside, far, "")
    low, high = sorted([inside, far])
    assert low - 1e-12 <= rule.beta(size) <= high + 1e-12
    assert rule.beta(scale) == pytest.approx(inside)
    assert rule.beta(1e6 * scale) == pytest.approx(far, abs=1e-9)


@given(POSITIVE, POSITIVE, st.floats(0.0, 0.7))
def test_the_cautious_rule_is_that_of_james_and_stein(
    scale: float, size: float, left: float
) -> None:
    beta = cautious("gfn2", "gfn2", scale, size=scale / max(left, 1e-6)).beta(size)
    learned = 1.0 - max(left, 1e-6) ** 2
    assert beta == pytest.approx(learned * max(0.0, 1.0 - (scale / size) ** 2), abs=1e-12)


@pytest.mark.parametrize("size", [0.5, 1.0, 1.4])
def test_a_prior_that_its_head_could_not_learn_gives_no_correction(size: float) -> None:
    rule = cautious("noise-1", "noise-1", 1.0, size)
    assert not rule.acts
    assert "less than a half" in rule.evidence
    assert cautious("noise-1", "noise-1", 1.0, 1.5).acts


def test_a_prior_that_the_model_has_no_counterpart_to_is_not_trusted() -> None:
    rule = CorrectionRule("gfn2", "gfn2", 0.1, 0.2, 0.9, "")
    strange = Comparison(residual=1.0, prior=2.0, unexplained=1.6)
    known = replace(strange, unexplained=1.4)
    assert (rule.beta_of(strange), rule.beta_of(known)) == (0.0, rule.beta(1.0))
    assert replace(rule, trusted=None).beta_of(strange) == rule.beta(1.0)


def test_plain_values_give_the_same_rule() -> None:
    rule = CorrectionRule("gfn2", "head", 0.1, 0.2, 0.9, "because")
    assert CorrectionRule.from_plain(rule.to_plain()) == rule


def _evidence(shared: float, own: float, *, seed: int = 0) -> Evidence:
    """Errors with a part of both heads in common, three times as large outside."""
    random = np.random.default_rng(seed)
    rows = []
    for outside in [False] * 200 + [True] * 200:
        common = (3.0 if outside else 1.0) * shared * random.normal(size=300)
        error = common + own * random.normal(size=300)
        residual = common + own * random.normal(size=300)
        left = np.abs(error - BETAS[:, None] * residual).mean(axis=1)
        rms = [float(np.sqrt(np.mean(x**2))) for x in (residual, error)]
        rows.append((outside, *rms, float(np.mean(error * residual)), left))
    columns = zip(*rows, strict=True)
    return Evidence(*(np.array(column) for column in columns))


@pytest.mark.parametrize("own", [0.5, 1.0])
def test_beta_is_learned(own: float) -> None:
    """The best β is the share of the shared variance in that of the residual."""
    evidence = _evidence(shared=1.0, own=own)
    rule = learn_rule(evidence, prior="gfn2", head="gfn2")
    assert rule.beta(rule.scale) == pytest.approx(1.0 / (1.0 + own**2), abs=0.03)
    outside = float(evidence.residual[evidence.outside].mean())
    assert rule.beta(outside) == pytest.approx(9.0 / (9.0 + own**2), abs=0.03)
    assert rule.far == pytest.approx(1.0, abs=0.05)
    assert evidence.correlation == pytest.approx(9.0 / (9.0 + own**2), abs=0.03)


def test_a_prior_without_information_gets_no_weight() -> None:
    rule = learn_rule(_evidence(shared=0.0, own=1.0), prior="noise", head="noise")
    assert (rule.inside, rule.far, rule.acts) == (0.0, 0.0, False)


def test_a_residual_of_the_opposite_sign_gets_no_weight() -> None:
    evidence = _evidence(shared=1.0, own=0.3)
    turned = Evidence(
        evidence.outside,
        evidence.residual,
        evidence.error,
        -evidence.product,
        2.0 * evidence.corrected[:, :1] - evidence.corrected,
    )
    assert not learn_rule(turned, prior="gfn2", head="gfn2").acts
