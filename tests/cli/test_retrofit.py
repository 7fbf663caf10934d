"""``train --strategy retrofit``: a second head for a model trained on the reference alone."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch

from farfield import load_model, read, write
from farfield.structures import without_labels


@pytest.fixture(scope="module")
def bare_set(train_set, tmp_path_factory):
    """The molecules of the training set alone, with nothing of a label."""
    path = tmp_path_factory.mktemp("bare") / "bare.extxyz"
    write(path, without_labels([atoms for atoms in read(train_set) if len(atoms) > 1]))
    return path


@pytest.fixture(scope="module")
def retrofitted(farfield, bare_set, supervised, tmp_path_factory):
    path = tmp_path_factory.mktemp("retrofit") / "model.pt"
    done = farfield(
        *("train", bare_set, "--strategy", "retrofit", "--model", supervised, "--prior", "gfn2"),
        *("--update", "head", "--epochs", 2, "--json", "-o", path),
    )
    assert done.code == 0, done.err
    last = done.err.splitlines()[-1]
    assert "heads reference, gfn2" in last
    assert "held out: prior head RMSE" in last
    assert not path.with_name("model.pt.checkpoint").exists()
    return path, json.loads(done.out)


def test_the_old_head_predicts_as_before_and_the_new_one_knows_all_elements(
    retrofitted, supervised, shifted_set, train_set
):
    path, printed = retrofitted
    model, base = load_model(str(path)), load_model(str(supervised))
    structures = without_labels(read(shifted_set))
    for one, two in zip(model.predict(structures), base.predict(structures), strict=True):
        np.testing.assert_allclose(one.forces, two.forces, atol=1e-5)  # eV/Å, float32
    assert model.head_species("gfn2") == base.species
    assert model.metadata["settings"]["epochs"] == 2
    assert printed["heads"] == ["reference", "gfn2"]
    for key in ("residual_rms_eV_per_A", "residual_mae_eV_per_A", "drift_mae_eV_per_A"):
        assert printed[key] == model.metadata[key]
    assert printed["drift_mae_eV_per_A"]["reference"] < 1e-5


def test_labels_on_the_structures_change_nothing(
    farfield, retrofitted, supervised, bare_set, tmp_path
):
    structures = read(bare_set)
    for atoms in structures:
        atoms.info["REF_energy"] = np.nan
        atoms.set_array("REF_forces", np.full((len(atoms), 3), np.nan))
    write(tmp_path / "spoilt.extxyz", structures)
    done = farfield(
        *("train", tmp_path / "spoilt.extxyz", "--strategy", "retrofit", "--model", supervised),
        *("--prior", "gfn2", "--update", "head", "--epochs", 2, "-o", tmp_path / "model.pt"),
    )
    assert done.code == 0, done.err
    one, two = (
        torch.load(path, weights_only=True)["state"]
        for path in (retrofitted[0], tmp_path / "model.pt")
    )
    assert all(torch.equal(one[key], two[key]) for key in one)


def test_the_new_head_serves_test_time_training(farfield, retrofitted, shifted_set, tmp_path):
    done = farfield(
        *("refine", shifted_set, "--model", retrofitted[0], "--method", "ttt", "--prior", "gfn2"),
        *("--steps", 2, "--force", "-o", tmp_path),
    )
    assert done.code == 0, done.err


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ("--strategy retrofit --prior gfn2", "retrofit needs --model"),
        ("--strategy retrofit --model {supervised}", "and --prior, such as gfn2"),
        (
            "--strategy retrofit --model {supervised} --prior gfn2 --valid {test}",
            "leave --valid away",
        ),
        ("--strategy retrofit --model {joint} --prior gfn2", "the prior 'gfn2' already"),
        ("--strategy retrofit --model emt --prior gfn2", "does not offer"),
        ("--strategy retrofit --model {supervised} --prior gfn2 --update some", "'some'"),
        ("--strategy joint --prior gfn2 --update head", "a setting of the strategy retrofit"),
    ],
)
def test_what_is_missing_or_makes_no_sense_is_told_on_one_line(
    options, message, farfield, supervised, joint, shifted_set, tmp_path
):
    words = options.format(supervised=supervised, joint=joint, test=shifted_set).split()
    done = farfield("train", shifted_set, *words, "-o", tmp_path / "model.pt")
    assert (done.code, done.out, done.err.count("\n")) == (2, "", 1)
    assert message in done.err
    assert list(tmp_path.iterdir()) == []
