"""``train --strategy delta``, and what its file does: predict, be exported no more, correct."""

from __future__ import annotations

import json

import numpy as np
import pytest

from farfield import load_model, read
from farfield.priors import compute, load_prior
from farfield.refinement import Delta


@pytest.fixture(scope="module")
def delta(farfield, train_set, config, tmp_path_factory):
    path = tmp_path_factory.mktemp("delta") / "delta.pt"
    words = ("--strategy", "delta", "--prior", "gfn2", "--config", config, "--valid", train_set)
    done = farfield("train", train_set, *words, "-o", path)
    assert done.code == 0, done.err
    return path


def test_the_file_predicts_reference_and_not_difference(delta, shifted_set):
    model = load_model(str(delta))
    assert isinstance(model, Delta)
    history = model.model.metadata["history"]
    assert history[-1]["valid_force_mae"] < history[0]["valid_force_mae"]
    assert model.model.metadata["levels_of_theory"] == {
        "delta": "GFN1-xTB as reference - GFN2-xTB (tblite)"
    }
    structures = read(shifted_set)[:2]
    prior = load_prior("gfn2")
    for atoms, found in zip(structures, model.predict(structures), strict=True):
        cheap = compute(prior, atoms)
        difference = model.base.predict([atoms])[0]
        np.testing.assert_allclose(found.forces - difference.forces, cheap.forces, atol=1e-9)


def test_it_is_a_second_opinion_of_a_correction(
    farfield, delta, joint, train_set, shifted_set, tmp_path
):
    words = ("refine", shifted_set, "--model", joint, "--method", "correction", "--prior", "gfn2")
    words += ("--replay", train_set, "--force", "--json")
    done = farfield(*words, "--delta", delta, "-o", tmp_path / "both")
    assert done.code == 0, done.err
    assert "second opinion" in json.loads(done.out)["reasons"][2]
    alone = farfield(*words, "-o", tmp_path / "alone")
    assert alone.code == 0, alone.err
    structures = read(shifted_set)
    first, second = (
        load_model(str(tmp_path / n / "model")).predict(structures) for n in ("both", "alone")
    )
    assert any(np.abs(a.forces - b.forces).max() > 1e-3 for a, b in zip(first, second, strict=True))
    judged = farfield("evaluate", shifted_set, "--model", delta, "--json")
    assert judged.code == 0, judged.err


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (
            "refine {test} --model {joint} --method correction --prior gfn2 --delta {joint}",
            "no Δ-model",
        ),
        (
            "refine {test} --model {joint} --method ttt --prior gfn2 --delta {delta}",
            "--delta is for",
        ),
        ("train {train} --strategy delta", "delta training needs --prior"),
        ("train {train} --strategy delta --prior gfn2 --model {joint}", "leave --model away"),
        ("export {delta}", "the prior has no place"),
    ],
)
def test_what_makes_no_sense_is_told_on_one_line(
    words, message, farfield, delta, joint, train_set, shifted_set, tmp_path
):
    names = {"test": shifted_set, "joint": joint, "delta": delta, "train": train_set}
    done = farfield(*words.format(**names).split(), "-o", tmp_path / "out")
    assert done.code == 2, done.err
    assert message in done.err
    assert len(done.err.strip().splitlines()) == 1
    assert not (tmp_path / "out").exists()
