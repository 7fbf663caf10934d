"""Scores are judged by labels they did not see: one that is the error comes out perfect."""

from __future__ import annotations

import json
import sys

import numpy as np
import pytest
from ase import Atoms

from farfield import diagnose, profile
from farfield.cli.main import main
from farfield.errors import ConfigError, LabelError
from farfield.structures import without_labels, write
from farfield.verbs.judging import force_errors, judge
from tests.shifts.made import rattled, seen
from tests.shifts.two_heads import MODEL, RATIO, ToyPrior, referenced, shared_error

MODEL_SPEC, PRIOR_SPEC = "tests.shifts.two_heads:MODEL", "tests.shifts.two_heads:ToyPrior"
CONTROL, SHIFTED = "near.extxyz", "far.extxyz"


@pytest.fixture(scope="module")
def tests() -> list[Atoms]:
    found = referenced(rattled(30, seed=30))
    for place, atoms in enumerate(found):
        atoms.info["farfield_file"] = SHIFTED if place % 2 else CONTROL
        atoms.info["farfield_index"] = place
    return found


@pytest.fixture(scope="module")
def diagnosis(tests, tmp_path_factory):
    cache = tmp_path_factory.mktemp("cache")
    common = {"model": MODEL, "prior": ToyPrior(), "cache": cache}
    held_out = referenced(rattled(50, seed=2))
    fitted = profile(rattled(20, seed=1), calibration=held_out, **common)
    return diagnose(tests, profile=fitted, **common)


def test_errors_are_mean_norms(tests) -> None:
    expected = [RATIO * np.linalg.norm(shared_error(a), axis=1).mean() for a in tests]
    assert force_errors(MODEL, tests) == pytest.approx(np.array(expected))


def test_the_score_that_is_the_error_is_perfect(tests, diagnosis) -> None:
    found = judge(diagnosis, tests, MODEL)
    rows = {score.title: score for score in found.scores}
    assert found.n_structures == 30
    assert rows["Prior residual"].spearman.value == pytest.approx(1.0)
    assert rows["Prior residual"].auroc.value == 1.0
    assert rows["Prior residual"].excess_risk.value == pytest.approx(0.0, abs=1e-12)
    assert rows["Prior residual"].risk == pytest.approx(found.best)
    assert rows["Force norm"].excess_risk.value > 0.05
    assert rows["Combined quantile"].risk[-1] == pytest.approx(force_errors(MODEL, tests).mean())
    assert found.coverage[0] == pytest.approx(1 / 30)
    assert found.coverage[-1] == 1.0
    assert found.gaps == {}


def test_gap_and_coverage_by_file(tests, diagnosis) -> None:
    found = judge(diagnosis, tests, MODEL, CONTROL)
    errors = force_errors(MODEL, tests)
    assert list(found.gaps) == [SHIFTED]
    gap = found.gaps[SHIFTED]
    assert gap.value == pytest.approx(errors[1::2].mean() - errors[::2].mean())
    assert gap.low < gap.value < gap.high
    assert set(found.covered) == {CONTROL, SHIFTED}
    by_labels = np.mean([np.linalg.norm(seen(a).forces, axis=1).mean() for a in tests[1::2]])
    assert found.force_norms[SHIFTED][1] == pytest.approx(by_labels)
    assert found.force_norms[SHIFTED][0] != pytest.approx(by_labels, rel=0.01)
    below, of = found.covered[CONTROL].split(" of ")
    assert int(of) > 10
    assert int(below) >= 0.8 * int(of)


def test_the_command_line_judges_and_nothing_else_changes(tests, tmp_path, monkeypatch, capsys):
    def run(*words: object) -> str:
        monkeypatch.setattr(sys, "argv", ["farfield", *map(str, words)])
        with pytest.raises(SystemExit) as end:
            main()
        told = capsys.readouterr().err
        assert not end.value.code, told
        return told

    for name in (CONTROL, SHIFTED):
        chosen = [atoms for atoms in tests if atoms.info["farfield_file"] == name]
        write(tmp_path / name, chosen)
    write(tmp_path / "train.extxyz", rattled(20, seed=1))
    common = ("--model", MODEL_SPEC, "--prior", PRIOR_SPEC, "--cache", tmp_path / "cache")
    run("profile", tmp_path / "train.extxyz", *common, "-o", tmp_path / "p.npz")
    asked = ("diagnose", tmp_path / CONTROL, tmp_path / SHIFTED, "--profile", tmp_path / "p.npz")
    run(*asked, *common, "-o", tmp_path / "plain")
    control = ("--control", tmp_path / CONTROL)
    told = run(*asked, *common, *control, "--judge", "-o", tmp_path / "judged")
    assert "judged by labels: Prior residual: AUROC 1.00, rank correlation 1.00" in told
    assert "judged by labels: Elements and element pairs: the same for all structures" in told
    plain, judged = (
        json.loads((tmp_path / name / "diagnosis.json").read_text(encoding="utf-8"))
        for name in ("plain", "judged")
    )
    assert judged["structures"] == plain["structures"]
    assert judged["judgement"]["gaps"][SHIFTED]["low"] is not None
    page = (tmp_path / "judged" / "report.html").read_text(encoding="utf-8")
    assert "How far these scores can be trusted" in page
    assert "--judge" in page


def test_what_judging_needs(tests, diagnosis) -> None:
    with pytest.raises(ConfigError, match="19 structures are too few"):
        judge(diagnosis, tests[:19], MODEL)
    with pytest.raises(LabelError, match="judging the scores"):
        judge(diagnosis, without_labels(tests), MODEL)
