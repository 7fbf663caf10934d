"""Reference labels of test structures are never read; the same seed gives the same result."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch

from farfield.structures import labels_of, read, write


@pytest.fixture(scope="module")
def spoilt(shifted_set, folder):
    """The test structures with labels that are not numbers, and would spoil what they touch."""
    structures = read(shifted_set)
    for atoms in structures:
        atoms.info["REF_energy"] = np.nan
        atoms.arrays["REF_forces"][:] = np.nan
    path = folder / "spoilt" / shifted_set.name
    write(path, structures)
    assert all(np.isnan(labels_of(atoms).forces).all() for atoms in read(path))
    return path


@pytest.fixture(scope="module")
def refined(farfield, joint, profile, train_set, tmp_path_factory):
    """Refine once for each file, method and seed; the folder that was written."""
    known = {}

    def run(test, method, seed):
        if (test, method, seed) not in known:
            folder = tmp_path_factory.mktemp("refined")
            more = ("--profile", profile)
            if method in ("ttt", "distil"):
                more = ("--prior", "gfn2", "--replay", train_set, "--steps", 4, "--force")
            elif method == "correction":
                more = ("--prior", "gfn2", "--replay", train_set, "--force")
            elif method == "auto":
                more = ("--prior", "gfn2", "--replay", train_set)
            model = "embedded" if method == "auto" else joint  # which has learned its prior
            done = farfield(
                *("refine", test, "--model", model, "--method", method, *more),
                *("--seed", seed, "-o", folder),
            )
            assert done.code == 0, done.err
            known[test, method, seed] = folder
        return known[test, method, seed]

    return run


def tensors(folder):
    return torch.load(folder / "model", weights_only=True)["state"]


def assert_identical(first, second):
    one, other = tensors(first), tensors(second)
    assert list(one) == list(other)
    assert all(torch.equal(one[key], other[key]) for key in one)
    name = "predictions.extxyz"
    assert (first / name).read_bytes() == (second / name).read_bytes()
    records = [json.loads((folder / "record.json").read_text()) for folder in (first, second)]
    for record in records:
        assert record.pop("seconds") > 0.0
    assert records[0] == records[1]


@pytest.mark.parametrize("method", ["ttt", "radius", "correction", "distil", "auto"])
def test_refinement_does_not_read_labels(method, refined, shifted_set, spoilt):
    assert_identical(refined(shifted_set, method, 0), refined(spoilt, method, 0))


def test_another_seed_gives_another_model(refined, shifted_set):
    first, second = tensors(refined(shifted_set, "ttt", 0)), tensors(refined(shifted_set, "ttt", 1))
    assert any(not torch.equal(first[key], second[key]) for key in first)


def test_test_time_training_moves_the_model_at_all(refined, shifted_set, joint):
    before = torch.load(joint, weights_only=True)["state"]
    after = tensors(refined(shifted_set, "ttt", 0))
    moved = {key for key in before if not torch.equal(before[key], after[key])}
    assert moved
    assert not any(key.startswith("readouts.") for key in moved)  # the heads stay


def test_diagnosis_does_not_read_labels(farfield, shifted_set, spoilt, profile, joint, tmp_path):
    commands = {}
    for name, test in {"real": shifted_set, "spoilt": spoilt}.items():
        arguments = (test, "--profile", profile, "--model", joint, "-o", tmp_path / name)
        assert farfield("diagnose", *arguments).code == 0
        commands[name] = f"{test} --profile {profile} --model {joint} --output {tmp_path / name}"
    for file in ("scores.csv", "diagnosis.json", "report.html"):
        real, spoiled = (
            (tmp_path / name / file).read_text().replace(command, "COMMAND")
            for name, command in commands.items()
        )
        assert real == spoiled


def test_a_profile_of_graphs_needs_no_labels(farfield, train_set, tmp_path):
    structures = read(train_set)
    for atoms in structures:
        atoms.arrays["REF_forces"][:] = np.nan
    write(tmp_path / "spoilt.extxyz", structures)
    done = farfield("profile", tmp_path / "spoilt.extxyz", "--cutoff", 4, "-o", tmp_path / "p.npz")
    assert done.code == 0, done.err


@pytest.mark.parametrize("verb", ["evaluate", "train", "replay"])
def test_whoever_reads_labels_refuses_nan(verb, farfield, spoilt, train_set, joint, tmp_path):
    arguments = {
        "evaluate": ("evaluate", spoilt, "--model", joint),
        "train": ("train", spoilt, "--strategy", "supervised", "-o", tmp_path / "m.pt"),
        "replay": (
            *("refine", train_set, "--model", joint, "--method", "ttt", "--prior", "gfn2"),
            *("--replay", spoilt, "-o", tmp_path / "out"),
        ),
    }[verb]
    done = farfield(*arguments)
    assert (done.code, done.out, done.err.count("\n")) == (2, "", 1)
    assert "test.extxyz, structure 0 (C2H6): its 'REF' label is not a finite number" in done.err
    assert list(tmp_path.iterdir()) == []


def test_a_test_file_given_as_replay_is_an_error(farfield, shifted_set, joint, tmp_path):
    done = farfield(
        *("refine", shifted_set, "--model", joint, "--method", "ttt", "--prior", "gfn2"),
        *("--replay", shifted_set, "-o", tmp_path / "out"),
    )
    assert (done.code, done.out, done.err.count("\n")) == (2, "", 1)
    assert "would leak" in done.err
    assert list(tmp_path.iterdir()) == []
