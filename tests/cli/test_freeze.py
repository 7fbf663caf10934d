"""``train --strategy freeze``: pre-trained on the prior, then fitted to the reference."""

from __future__ import annotations

import json

import pytest

from farfield import load_model, read, write
from farfield.structures import without_labels


@pytest.fixture(scope="module")
def more(train_set, shifted_set, tmp_path_factory):
    """Structures without a label: those of two sets."""
    path = tmp_path_factory.mktemp("more") / "more.extxyz"
    write(path, without_labels([a for f in (train_set, shifted_set) for a in read(f)])[::2])
    return path


def test_it_pretrains_on_structures_without_labels_and_serves_test_time_training(
    farfield, train_set, shifted_set, more, config, tmp_path
):
    path = tmp_path / "model.pt"
    done = farfield(
        *("train", train_set, "--strategy", "freeze", "--prior", "gfn2", "--config", config),
        *("--pretrain", more, "--trainable", "head", "--valid", shifted_set, "--epochs", 2),
        *("--json", "-o", path),
    )
    assert done.code == 0, done.err
    assert json.loads(done.out)["heads"] == ["reference", "gfn2"]
    assert [file.name for file in tmp_path.iterdir()] == ["model.pt"]  # no checkpoint is left
    known = load_model(str(path)).metadata
    assert (known["strategy"], known["settings"]["trainable"]) == ("freeze", "head")
    assert set(known["levels_of_theory"]) == {"reference", "gfn2"}
    first = known["pretraining"]
    bonded = sum(len(atoms) > 1 for atoms in read(more))
    assert (first["n_structures"], first["same_structures"]) == (bonded, False)
    for history in (first["history"], known["history"]):
        assert [record["epoch"] for record in history] == [1, 2]
        assert all(record["valid_force_mae"] > 0 for record in history)
    done = farfield(
        *("refine", shifted_set, "--model", path, "--method", "ttt", "--prior", "gfn2"),
        *("--steps", 2, "--force", "-o", tmp_path / "refined"),
    )
    assert done.code == 0, done.err


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ("--strategy freeze", "needs --prior, such as gfn2"),
        ("--strategy joint --prior gfn2 --pretrain {test}", "belongs to the strategy freeze"),
        ("--strategy joint --prior gfn2 --trainable head", "a setting of the strategy freeze"),
        ("--strategy freeze --prior gfn2 --trainable some", "'some'"),
    ],
)
def test_what_is_missing_or_makes_no_sense_is_told_on_one_line(
    options, message, farfield, shifted_set, tmp_path
):
    words = options.format(test=shifted_set).split()
    done = farfield("train", shifted_set, *words, "-o", tmp_path / "model.pt")
    assert (done.code, done.out, done.err.count("\n")) == (2, "", 1)
    assert message in done.err
    assert list(tmp_path.iterdir()) == []
