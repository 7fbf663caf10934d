"""label -> train -> profile -> diagnose -> refine -> evaluate -> export, on the command line."""

from __future__ import annotations

import csv
import json

import numpy as np
import pytest
import torch

from farfield import load_model, read
from farfield.potentials.mace.library import contained
from farfield.structures import labels_of, without_labels

AXES = ("elements", "force_norm", "connectivity", "representation")
EVALUATION = {
    "n_structures",
    "force_mae_eV_per_A",
    "force_rmse_eV_per_A",
    "force_mae_median_eV_per_A",
    "energy_mae_per_atom_eV",
}


@pytest.fixture(scope="module")
def ttt(shell, shifted_set, joint, profile, train_set, tmp_path_factory):
    folder = tmp_path_factory.mktemp("ttt")
    done = shell(
        *("refine", shifted_set, "--model", joint, "--method", "ttt", "--prior", "gfn2"),
        *("--profile", profile, "--replay", train_set, "--json", "-o", folder),
        *("--steps", 20, "--learning-rate", 0.02, "--force"),
    )
    assert done.code == 0, done.err
    assert json.loads(done.out) == json.loads((folder / "record.json").read_text())
    return folder


@pytest.fixture(scope="module")
def radius(farfield, shifted_set, joint, profile, tmp_path_factory):
    folder = tmp_path_factory.mktemp("radius")
    done = farfield(
        *("refine", shifted_set, "--model", joint, "--method", "radius"),
        *("--profile", profile, "--mode", "taper", "--criterion", "coordination", "-o", folder),
    )
    assert (done.code, done.out) == (0, "")
    return folder


@pytest.fixture(scope="module")
def correction(farfield, shifted_set, joint, train_set, tmp_path_factory):
    folder = tmp_path_factory.mktemp("correction")
    done = farfield(
        *("refine", shifted_set, "--model", joint, "--method", "correction", "--prior", "gfn2"),
        *("--like-training", train_set, "--force", "-o", folder),
    )
    assert (done.code, done.out) == (0, "")
    return folder


@pytest.fixture(scope="module")
def distil(farfield, shifted_set, joint, train_set, tmp_path_factory):
    folder = tmp_path_factory.mktemp("distil")
    done = farfield(
        *("refine", shifted_set, "--model", joint, "--method", "distil", "--prior", "gfn2"),
        *("--replay", train_set, "--steps", 20, "--on", "given", "--force", "-o", folder),
    )
    assert (done.code, done.out) == (0, "")
    return folder


@pytest.fixture(scope="module")
def auto(farfield, shifted_set, train_set, tmp_path_factory):
    folder = tmp_path_factory.mktemp("auto")
    done = farfield(
        *("refine", shifted_set, "--model", "embedded", "--method", "auto", "--prior", "gfn2"),
        *("--replay", train_set, "-o", folder),
    )
    assert (done.code, done.out) == (0, "")
    assert "correction was chosen" in done.err
    return folder


def test_label_keeps_the_reference_and_adds_the_prior(farfield, shifted_set, tmp_path):
    output = tmp_path / "labelled.extxyz"
    done = farfield("label", shifted_set, "--prior", "gfn2", "-o", output)
    assert (done.code, done.out) == (0, "")
    for before, after in zip(read(shifted_set), read(output), strict=True):
        np.testing.assert_array_equal(labels_of(after).forces, labels_of(before).forces)
        prior = labels_of(after, "farfield_gfn2")
        assert prior.level_of_theory == "GFN2-xTB (tblite)"
        assert not np.allclose(prior.forces, labels_of(after).forces, atol=0.01)


def test_diagnose_writes_four_files_and_prints_one_object(
    shell, shifted_set, profile, joint, tmp_path
):
    arguments = (shifted_set, "--profile", profile, "--model", joint, "--fail-above", 0.5)
    done = shell("diagnose", *arguments, "--json", "-o", tmp_path)
    assert done.code == 3, done.err
    assert "lie above the quantile 0.5" in done.err
    assert "Warning" not in done.err
    found = json.loads(done.out)  # one object, and nothing beside it
    assert found == json.loads((tmp_path / "diagnosis.json").read_text())
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        *("diagnosis.json", "report.html", "scores.csv", "structures.extxyz")
    ]
    with (tmp_path / "scores.csv").open() as handle:
        rows = list(csv.DictReader(handle))
    columns = (*AXES, "prior_residual")  # which needs a prior
    measured = [f"{kind}_{axis}" for axis in columns for kind in ("score", "quantile")]
    assert list(rows[0]) == [
        "file",
        "index",
        "formula",
        "n_atoms",
        *measured,
        "quantile",
        "verdict",
    ]
    assert [row["formula"] for row in rows[:2]] == ["C2H6", "CH2O2"]
    assert all(0.0 <= float(row[f"quantile_{axis}"]) <= 1.0 for row in rows for axis in AXES)
    assert {row["score_prior_residual"] for row in rows} == {""}
    for atoms, row in zip(read(tmp_path / "structures.extxyz"), rows, strict=True):
        assert atoms.info["farfield_verdict"] == row["verdict"]
        assert all(
            atoms.arrays[f"farfield_quantile_{axis}"].shape == (len(atoms),) for axis in AXES
        )
    assert "<html" in (tmp_path / "report.html").read_text()


def test_training_structures_do_not_exceed_the_largest_quantile(
    farfield, train_set, profile, joint, tmp_path
):
    arguments = (train_set, "--profile", profile, "--model", joint, "-o", tmp_path)
    assert farfield("diagnose", *arguments, "--fail-above", 1.0).code == 0


@pytest.mark.parametrize("method", ["ttt", "radius", "correction", "distil", "auto"])
def test_a_refined_model_is_written_and_can_be_used(method, request, farfield, shifted_set, joint):
    folder = request.getfixturevalue(method)
    assert sorted(path.name for path in folder.iterdir()) == [
        *("model", "predictions.extxyz", "record.json", "report.html")
    ]
    record = json.loads((folder / "record.json").read_text())
    assert record["method"] == method
    assert record["acted"], record["reasons"]
    content = torch.load(folder / "model", weights_only=True)
    assert content["format"] == "farfield-model"

    structures = read(folder / "predictions.extxyz")
    predicted = load_model(str(folder / "model")).predict(without_labels(structures))
    untouched = load_model(str(joint)).predict(without_labels(structures))
    for atoms, prediction in zip(structures, predicted, strict=True):
        written = labels_of(atoms, "farfield")
        np.testing.assert_allclose(written.forces, prediction.forces, atol=1e-7)
        assert labels_of(atoms) is None  # no reference label is passed on
    moved = [np.abs(p.forces - q.forces).max() for p, q in zip(predicted, untouched, strict=True)]
    assert max(moved) > 1e-3

    done = farfield("evaluate", shifted_set, "--model", folder / "model", "--json")
    assert done.code == 0, done.err
    assert set(json.loads(done.out)) >= EVALUATION


def test_a_refined_model_can_be_refined_again(farfield, ttt, shifted_set, tmp_path):
    arguments = (shifted_set, "--model", ttt / "model", "--method", "ttt", "--prior", "gfn2")
    done = farfield("refine", *arguments, "--steps", 10, "-o", tmp_path)
    assert done.code == 0, done.err
    assert (tmp_path / "model").is_file()


def test_a_corrected_model_is_not_exported_but_a_distilled_one_is(
    farfield, correction, distil, tmp_path
):
    done = farfield("export", correction / "model", "-o", tmp_path / "corrected.model")
    assert done.code == 2
    assert "--method distil" in done.err
    assert not (tmp_path / "corrected.model").exists()
    done = farfield("export", distil / "model", "-o", tmp_path / "plain.model")
    assert done.code == 0, done.err


def test_evaluate_agrees_with_plain_arithmetic(farfield, supervised, shifted_set):
    done = farfield("evaluate", shifted_set, "--model", supervised, "--json")
    found = json.loads(done.out)
    structures = read(shifted_set)
    predictions = load_model(str(supervised)).predict(without_labels(structures))
    errors = [p.forces - labels_of(a).forces for p, a in zip(predictions, structures, strict=True)]
    each = [np.abs(error).mean() for error in errors]
    assert found["n_structures"] == 6
    assert found["force_mae_eV_per_A"] == pytest.approx(np.mean(each))
    assert found["force_mae_median_eV_per_A"] == pytest.approx(np.median(each))
    rmse = np.sqrt(np.mean(np.square(np.concatenate(errors))))
    assert found["force_rmse_eV_per_A"] == pytest.approx(rmse)
    assert 0.0 < found["energy_mae_per_atom_eV"] < 1.0
    assert "best constant per composition" in found["energy_note"]


@pytest.mark.parametrize("head", ["reference", "gfn2"])
def test_mace_itself_runs_an_exported_model(head, farfield, joint, shifted_set, tmp_path):
    output = tmp_path / "native.model"
    done = farfield("export", joint, "--head", head, "-o", output)
    assert (done.code, done.out) == (0, "")
    structures = without_labels(read(shifted_set))
    ours = load_model(str(joint)).predict(structures, head)
    with contained():
        from mace.calculators import MACECalculator

        native = MACECalculator(model_paths=str(output), device="cpu", default_dtype="float32")
        theirs = [native.get_forces(atoms) for atoms in structures]
    for forces, prediction in zip(theirs, ours, strict=True):
        np.testing.assert_allclose(forces, prediction.forces, atol=1e-5)  # eV/Å
