"""Options of ``train`` that all strategies share: type, device, patience, report."""

from __future__ import annotations

import json

import pytest
import torch

from farfield import load_model


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_type_is_that_of_a_new_model_and_of_one_to_start_from(
    dtype, farfield, train_set, config, supervised, tmp_path
):
    new, gone_on = tmp_path / "new.pt", tmp_path / "on.pt"
    words = ("train", train_set, "--strategy", "supervised", "--epochs", 1, "--dtype", dtype)
    for path, options in ((new, ("--config", config)), (gone_on, ("--model", supervised))):
        done = farfield(*words, *options, "--device", "cpu", "-o", path)
        assert done.code == 0, done.err
        model = load_model(str(path))
        assert model.dtype == getattr(torch, dtype)
        values = model.representation_parameters().values()
        assert {value.dtype for value in values} == {model.dtype}
    assert load_model(str(new)).metadata["settings"]["architecture"]["dtype"] == dtype


def test_the_report_holds_the_curves_and_the_record_in_numbers(
    farfield, train_set, shifted_set, config, tmp_path
):
    done = farfield(
        *("train", train_set, "--strategy", "supervised", "--config", config, "--valid"),
        *(shifted_set, "--patience", 3, "-o", tmp_path / "model.pt", "--report", tmp_path / "run"),
    )
    assert done.code == 0, done.err
    known = json.loads((tmp_path / "run" / "training.json").read_text())
    assert [record["epoch"] for record in known["history"]] == [1, 2, 3]
    assert known["settings"]["patience"] == 3
    assert known["units"]["history.force_rmse, history.valid_force_mae"] == "eV/Å"
    page = (tmp_path / "run" / "report.html").read_text()
    for words in ("Root mean square force error", "Mean absolute force error", "epoch"):
        assert words in page
    best = min(known["history"], key=lambda record: record["valid_force_mae"])
    assert f"kept: epoch {best['epoch']:.0f}" in page


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ("--device gpu", "unknown device 'gpu'"),
        ("--dtype float16", "unknown dtype 'float16'"),
        ("--patience 3", "give --valid"),
    ],
)
def test_what_makes_no_sense_is_told_on_one_line(
    options, message, farfield, train_set, config, tmp_path
):
    words = ("--strategy", "supervised", "--config", config, *options.split())
    done = farfield("train", train_set, *words, "-o", tmp_path / "model.pt")
    assert (done.code, done.out, done.err.count("\n")) == (2, "", 1)
    assert message in done.err
    assert list(tmp_path.iterdir()) == []
