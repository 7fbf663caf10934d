"""The command line as such: fast help, known forms, exit codes, whole files or none."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import numpy as np
import pytest
from ase.build import bulk

import farfield.verbs.profile as profile_verb
from farfield.structures import write

VERBS = [
    "data",
    "demo",
    "diagnose",
    "doctor",
    "evaluate",
    "export",
    "label",
    "list",
    "profile",
    "refine",
    "simulate",
    "train",
]
HEAVY = ("ase", "chgnet", "e3nn", "graph_pes", "mace", "numpy", "tblite", "torch", "vesin")


@pytest.mark.parametrize(
    ("statement", "absent"),
    [
        ("import farfield.cli.main", HEAVY),
        ("import farfield", HEAVY),
        ("import farfield.verbs.refine, farfield.verbs.train", ("e3nn", "mace", "tblite")),
    ],
)
def test_imports_are_light(statement, absent):
    listing = f"{statement}, sys; print(*{{name.partition('.')[0] for name in sys.modules}})"
    done = subprocess.run(
        [sys.executable, "-c", listing], capture_output=True, text=True, check=True, timeout=120
    )
    assert "farfield" in done.stdout.split()
    assert set(absent) & set(done.stdout.split()) == set()
    assert done.stderr == ""


def test_help_of_every_verb_says_what_it_does(farfield):
    whole = farfield("--help")
    assert whole.code == 0
    assert farfield() == whole  # nothing given: the same help
    for verb in VERBS:
        done = farfield(verb, "--help")
        assert (done.code, done.err) == (0, "")
        assert f"Usage: farfield {verb}" in done.out
        assert f"  {verb} " in whole.out


def test_version(farfield):
    done = farfield("--version")
    assert (done.code, done.err) == (0, "")
    assert done.out.split()[0] == "farfield"


@pytest.mark.parametrize("verb", ["list", "doctor"])
def test_what_is_there_is_printed_for_people_and_for_programs(verb, farfield):
    assert farfield(verb).out.count("\n") > 4
    found = json.loads(farfield(verb, "--json").out)
    names = {"list": found.get("priors"), "doctor": found.get("packages")}[verb]
    assert {"list": "gfn2", "doctor": "mace-torch"}[verb] in names


@pytest.fixture
def crystals(tmp_path):
    random = np.random.default_rng(3)
    structures = [bulk("Cu", cubic=True) for _ in range(10)]
    for atoms in structures:
        atoms.positions += random.normal(scale=0.05, size=(4, 3))
    write(tmp_path / "crystals.extxyz", structures)
    return tmp_path / "crystals.extxyz"


def test_ctrl_c_ends_on_one_line(farfield, crystals, tmp_path, monkeypatch):
    def stop(*arguments, **settings):
        raise KeyboardInterrupt

    monkeypatch.setattr(profile_verb, "observed", stop)
    done = farfield("profile", crystals, "--cutoff", 4, "-o", tmp_path / "profile.npz")
    assert done.code == 130
    assert done.err == "farfield: stopped; what was finished is kept\n"


def test_a_programming_error_is_not_dressed_up(farfield, crystals, tmp_path, monkeypatch):
    monkeypatch.setattr(profile_verb, "observed", None)
    with pytest.raises(TypeError):
        farfield("profile", crystals, "--cutoff", 4, "-o", tmp_path / "profile.npz")


def test_a_result_that_cannot_be_written_leaves_the_old_one(
    farfield, crystals, tmp_path, monkeypatch
):
    output = tmp_path / "out" / "profile.npz"
    arguments = ("profile", crystals, "--cutoff", 4, "-o", output)
    assert farfield(*arguments).code == 0
    before = output.read_bytes()

    def full(handle, **arrays):
        handle.write(b"half of it")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(np, "savez_compressed", full)
    done = farfield(*arguments)
    assert (done.code, done.out, done.err.count("\n")) == (2, "", 1)
    assert "No space left on device" in done.err
    assert output.read_bytes() == before
    assert os.listdir(output.parent) == ["profile.npz"]


def test_a_folder_cannot_be_overwritten_by_a_file(farfield, crystals, tmp_path):
    folder = tmp_path / "taken"
    folder.mkdir()
    done = farfield("profile", crystals, "--cutoff", 4, "-o", folder)
    assert (done.code, done.out, done.err.count("\n")) == (2, "", 1)
    assert str(folder) in done.err
    assert "partial" not in done.err
    assert sorted(os.listdir(tmp_path)) == ["crystals.extxyz", "taken"]
