"""The prior residual on its way: prior labels, model, profile, diagnosis, files."""

from __future__ import annotations

import csv
import json
import sys
from pathlib import Path

import numpy as np
import pytest
from ase import Atoms
from ase.build import molecule

from farfield import diagnose, profile
from farfield.cli.main import main
from farfield.errors import LabelError, ModelError, ProfileError
from farfield.potentials import Prediction
from farfield.potentials.residual import residual_of
from farfield.priors import Failure
from farfield.shifts import observe
from farfield.shifts.profile_files import load
from farfield.structures import Labels, attach, labels_of, read, without_labels, write
from tests.shifts.made import rattled, seen
from tests.shifts.two_heads import MODEL, RATIO, ToyPrior, TwoHeads, referenced, shared_error

MODEL_SPEC, PRIOR_SPEC = "tests.shifts.two_heads:MODEL", "tests.shifts.two_heads:ToyPrior"
ERROR_COLUMNS = (
    "expected_force_error_eV_per_A",
    "force_error_upper_90_eV_per_A",
    "force_error_note",
)


@pytest.fixture(scope="module")
def train() -> list[Atoms]:
    return rattled(20, seed=1)


@pytest.fixture(scope="module")
def held_out() -> list[Atoms]:
    return referenced(rattled(50, seed=2))


@pytest.fixture(scope="module")
def cache(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="module")
def calibrated(train, held_out, cache):
    return profile(train, model=MODEL, prior=ToyPrior(), calibration=held_out, cache=cache)


def toy_labels(structures: list[Atoms]) -> list[Labels]:
    return [Labels(0.0, seen(atoms).forces, level_of_theory="toy") for atoms in structures]


def test_the_residual_is_what_the_prior_head_misses() -> None:
    structures = rattled(3, seed=0)
    labels = [*toy_labels(structures)[:1], None, *toy_labels(structures)[2:]]
    first, none, last = residual_of(MODEL, "toy", labels, structures)
    assert np.allclose(first, shared_error(structures[0]))
    assert none is None
    assert np.allclose(last, shared_error(structures[2]))
    assert residual_of(MODEL, "toy", [None], structures[:1]) == [None]
    with pytest.raises(ModelError, match="no head 'gfn2'"):
        residual_of(MODEL, "gfn2", labels, structures)
    with pytest.raises(LabelError, match="forces"):
        residual_of(MODEL, "toy", [Labels(0.0, None)], structures[:1])


def test_observing_with_a_model_and_a_prior() -> None:
    structures = rattled(2, seed=0)
    labels = [toy_labels(structures)[0], Failure("no convergence")]
    first, failed = observe(structures, potential=MODEL, prior_labels=labels, prior_head="toy")
    assert np.allclose(first.residual, shared_error(structures[0]))
    assert (failed.residual, failed.prior_failure) == (None, "no convergence")
    for observation, atoms in zip((first, failed), structures, strict=True):  # the model's own
        assert np.allclose(observation.forces, MODEL.predict([atoms])[0].forces)
    assert observe(structures, potential=MODEL, prior_labels=labels)[0].residual is None


def test_a_prior_head_that_predicts_no_number_is_named(monkeypatch) -> None:
    structures = rattled(1, seed=0)
    spoilt = np.full((len(structures[0]), 3), np.nan)
    monkeypatch.setattr(
        TwoHeads,
        "predict",
        lambda self, given, head=None: (
            [Prediction(0.0, spoilt if head else 0.0 * spoilt + 1.0)]
            if head
            else [Prediction(0.0, np.ones_like(spoilt))]
        ),
    )
    with pytest.raises(ModelError, match="forces of the head 'toy' that are not finite"):
        observe(structures, potential=MODEL, prior_labels=toy_labels(structures), prior_head="toy")


def test_one_failure_of_the_prior_costs_one_structure_that_axis(train, cache) -> None:
    """In training and in the test set, and for both axes that a prior can feed."""
    chlorine = molecule("CH3Cl")
    for options, axis in (
        ({"model": MODEL}, "prior_residual"),
        ({"cutoff": 4.0}, "force_norm"),
    ):
        common = {"prior": ToyPrior(), "cache": cache}
        fitted = profile([*train, chlorine], **options, **common)
        assert axis in fitted.axes
        assert np.isnan(fitted.axes[axis].held_out).sum() == 1
        options.pop("cutoff", None)
        tests = [*rattled(2, seed=3), chlorine]
        found = diagnose(tests, profile=fitted, **options, **common)
        assert axis not in found.not_scored
        assert [axis in structure.scores for structure in found.structures] == [True, True, False]
        told = "no labels of the prior (toy has no parameters for Cl)"
        assert found.structures[2].not_scored == {axis: told}
        assert found.partly_scored == {axis: f"1 of 3 structures have {told}"}


def test_scores_are_the_residual_with_and_without_its_prior(train, cache) -> None:
    fitted = profile(train, model=MODEL, prior=ToyPrior(), cache=cache)
    assert fitted.header["n_held_out"] is None
    tests = rattled(4, seed=5, width=0.15)
    found = diagnose(tests, profile=fitted, model=MODEL, prior=ToyPrior(), cache=cache)
    for atoms, structure in zip(tests, found.structures, strict=True):
        norms = np.linalg.norm(shared_error(atoms), axis=1)
        assert structure.scores["prior_residual"] == pytest.approx(norms.mean())
        assert structure.error is None
    bare = diagnose(tests, profile=fitted, model=MODEL)
    assert set(bare.not_scored) == {"representation", "prior_residual"}
    for structure, before in zip(bare.structures, found.structures, strict=True):
        others = {k: v for k, v in before.scores.items() if k != "prior_residual"}
        assert structure.scores == others
        assert structure.quantile == fitted.combined_quantile(structure.quantiles)


def test_a_model_without_that_head_and_other_priors(train, cache) -> None:
    other = TwoHeads(prior="gfn2")
    fitted = profile(train, model=other, prior=ToyPrior(), cache=cache)
    assert (
        "a model with a head of that prior's name" in fitted.header["not_fitted"]["prior_residual"]
    )
    found = diagnose(train[:2], profile=fitted, model=other, prior=ToyPrior(), cache=cache)
    assert found.not_scored["prior_residual"].startswith("the profile was made without it; no")
    with_axis = profile(train, model=MODEL, prior=ToyPrior(), cache=cache)
    with pytest.raises(ProfileError, match="made with the prior 'toy', not 'emt'"):
        diagnose(train[:2], profile=with_axis, model=MODEL, prior="emt", cache=cache)


def test_the_calibration_knows_the_error(calibrated, cache) -> None:
    assert calibrated.header["n_held_out"] == 50
    assert calibrated.header["error_estimate"] == "calibrated on 50 labelled held-out structures"
    assert all(len(calibrated.axes[axis].null) == 50 for axis in calibrated.default_axes)
    tests = rattled(30, seed=6)
    found = diagnose(tests, profile=calibrated, model=MODEL, prior=ToyPrior(), cache=cache)
    estimates = [structure.error for structure in found.structures]
    known = [error.expected is not None for error in estimates]
    assert np.mean(known) > 0.85
    for atoms, error, inside in zip(tests, estimates, known, strict=True):
        true = RATIO * np.linalg.norm(shared_error(atoms), axis=1)
        if inside:
            assert error.expected == pytest.approx(true.mean(), rel=0.08)
        finite = np.isfinite(error.atoms)
        assert np.allclose(error.atoms[finite], true[finite], rtol=0.1, atol=0.1)
    far = rattled(1, seed=7)[0]
    far.positions *= 0.6
    (one,) = diagnose(
        far, profile=calibrated, model=MODEL, prior=ToyPrior(), cache=cache
    ).structures
    assert one.error.expected is None
    assert "beyond the calibrated range" in one.error.note


def test_labels_of_test_structures_are_never_read(calibrated, cache) -> None:
    tests = rattled(3, seed=8)
    found = []
    for value in (None, 1.0, np.nan):
        labelled = [atoms.copy() for atoms in tests]
        for atoms in labelled:
            if value is not None:
                attach(atoms, Labels(value, np.full((len(atoms), 3), value)))
        done = diagnose(labelled, profile=calibrated, model=MODEL, prior=ToyPrior(), cache=cache)
        found.append([(item.scores, item.error.expected) for item in done.structures])
    assert found[0] == found[1] == found[2]


def test_what_calibration_structures_must_be(train, held_out, cache) -> None:
    common = {"model": MODEL, "prior": ToyPrior(), "cache": cache}
    with pytest.raises(ProfileError, match="is a training structure too"):
        profile(train, calibration=[*held_out, train[3]], **common)
    few = profile(train, calibration=held_out[:29], **common)
    assert few.error_calibration is None
    assert few.header["error_estimate"].startswith("none: 29 held-out structures have reference")
    bare = profile(train, calibration=without_labels(held_out), **common)
    assert bare.error_calibration is None
    assert len(bare.axes["prior_residual"].null) == 50
    without = profile(train, calibration=held_out, model=MODEL)
    assert without.header["error_estimate"].startswith("none: 0 held-out structures have")
    spoilt = [atoms.copy() for atoms in held_out]
    spoilt[4].arrays["REF_forces"][0, 0] = np.nan
    with pytest.raises(LabelError, match="'REF' label is not a finite number"):
        profile(train, calibration=spoilt, **common)
    others = [atoms.copy() for atoms in held_out]
    for atoms in [*others[:1]]:
        attach(atoms, Labels(0.0, labels_of(atoms).forces, level_of_theory="another"))
    with pytest.raises(LabelError, match="2 levels of theory"):
        profile(train, calibration=others, **common)


def run(monkeypatch, *words: object) -> int:
    monkeypatch.setattr(sys, "argv", ["farfield", *map(str, words)])
    with pytest.raises(SystemExit) as end:
        main()
    return int(end.value.code or 0)


def test_the_command_line_writes_it_all(train, held_out, cache, tmp_path, monkeypatch, capsys):
    far = molecule("C6H6")
    far.positions *= 0.6
    write(tmp_path / "train.extxyz", train)
    write(tmp_path / "held_out.extxyz", held_out)
    write(tmp_path / "test.extxyz", [*rattled(2, seed=9), molecule("CH3Cl"), far])
    common = ("--model", MODEL_SPEC, "--prior", PRIOR_SPEC, "--cache", cache)
    made = tmp_path / "profile.npz"
    calibration = ("--calibration", tmp_path / "held_out.extxyz")
    assert run(monkeypatch, "profile", tmp_path / "train.extxyz", *common, *calibration,
               "-o", made) == 0  # fmt: skip
    told = capsys.readouterr().err
    assert "error estimate: calibrated on 50 labelled held-out structures" in told
    assert "not fitted: representation: no node features" in told
    assert load(made).error_calibration is not None

    out = tmp_path / "diagnosis"
    tests = tmp_path / "test.extxyz"
    assert run(monkeypatch, "diagnose", tests, "--profile", made, *common, "-o", out) == 0
    assert "partly scored: prior_residual: 1 of 4 structures have no labels of the" in (
        capsys.readouterr().err
    )
    with (out / "scores.csv").open() as handle:
        rows = list(csv.DictReader(handle))
    assert tuple(rows[0])[-3:] == ERROR_COLUMNS
    expected, upper, note = ERROR_COLUMNS
    assert float(rows[0][upper]) >= float(rows[0][expected]) > 0.0
    assert (rows[2]["score_prior_residual"], rows[2]["quantile_prior_residual"]) == ("", "")
    assert float(rows[2]["score_force_norm"]) > 0.0
    assert [rows[2][column] for column in (expected, upper)] == ["", ""]
    assert rows[2][note] == "no labels of the prior (toy has no parameters for Cl)"
    assert "beyond the calibrated range" in rows[3][note]
    content = json.loads((out / "diagnosis.json").read_text())
    lacking, beyond = content["structures"][2:]
    assert lacking["scores"]["prior_residual"] is None
    assert lacking["quantiles"]["prior_residual"] is None
    assert lacking["not_scored"] == {"prior_residual": rows[2][note]}
    assert (lacking[expected], beyond[expected], beyond[upper]) == (None, None, None)
    assert content["structures"][0][expected] == pytest.approx(float(rows[0][expected]), rel=1e-4)
    written = read(out / "structures.extxyz")
    atoms = written[0].arrays["farfield_expected_force_error"]
    assert atoms.shape == (len(written[0]),)
    assert np.nanmean(atoms) == pytest.approx(float(rows[0][expected]), rel=0.1)
    assert "farfield_expected_force_error" not in written[2].arrays
    report = (out / "report.html").read_text()
    assert "1 of 3 structures lie beyond the calibrated range" in report
    assert "50 structures held out from training" in report
    assert "structures that the model was trained on" not in report
    assert "shares of 50 held-out structures: up to 8 % of structures like" in report

    assert run(monkeypatch, "profile", tmp_path / "train.extxyz", *common, "-o", made) == 0
    assert run(monkeypatch, "diagnose", tests, "--profile", made, *common, "-o", out) == 0
    assert "structures that the model was trained on" in (out / "report.html").read_text()
    with (out / "scores.csv").open() as handle:
        assert next(csv.reader(handle))[-1] == "verdict"
