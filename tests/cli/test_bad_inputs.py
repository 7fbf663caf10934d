"""What is wrong is said on one line: what, where, and what to do."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from ase import Atoms
from ase.build import molecule

from farfield.structures import Labels, attach, read, write

DEFAULTS = {
    "profile": "--cutoff 4",
    "diagnose": "--profile {profile}",
    "label": "--prior gfn2",
    "train": "--strategy supervised --config {config}",
    "refine": "--model {joint} --method ttt --prior gfn2",
    "evaluate": "--model {joint}",
}


@pytest.fixture(scope="module")
def bad(folder, shifted_set, joint, supervised, profile, config) -> dict[str, Path]:
    """Damaged and unusual inputs, by name."""
    whole = read(shifted_set)
    files = {
        name: folder / f"{name}.extxyz" for name in ("nan", "unlabelled", "mixed", "x", "gold")
    }

    displaced = whole[1].copy()
    displaced.positions[2, 1] = np.nan
    write(files["nan"], [whole[0], displaced])
    write(files["unlabelled"], [whole[0], molecule("H2O")])
    other = molecule("H2O")
    attach(other, Labels(-1.0, np.zeros((3, 3)), level_of_theory="PBE"))
    write(files["mixed"], [whole[0], other])
    write(files["x"], [whole[0], Atoms("XH", positions=[[0, 0, 0], [0, 0, 1]])])
    gold = Atoms("AuH", positions=[[0, 0, 0], [0, 0, 1.5]])
    attach(gold, Labels(-1.0, np.zeros((2, 3))))
    write(files["gold"], [gold])

    files["infinite"] = folder / "infinite.extxyz"
    frame = 'Lattice="0 0 0 0 0 0 0 0 0" Properties=species:S:1:pos:R:3 pbc="T T T"'
    files["infinite"].write_text(f"2\n{frame}\nNa 0 0 0\nCl 0 0 2.8\n")

    files["empty"] = folder / "empty.extxyz"
    files["empty"].touch()
    files["truncated"] = folder / "truncated.extxyz"
    files["truncated"].write_bytes(shifted_set.read_bytes()[:-400])
    for name, source in {"cut_profile": profile, "cut_model": joint}.items():
        files[name] = folder / name
        files[name].write_bytes(source.read_bytes()[: source.stat().st_size // 2])
    files["missing"] = folder / "missing.extxyz"
    for name, line in {"key": "epoch: 3", "value": "epochs: many", "lines": "- 3"}.items():
        files[name] = folder / f"{name}.yaml"
        files[name].write_text(line + "\n")
    files["size"] = folder / "size.yaml"
    files["size"].write_text("architecture: {chanels: 8}\n")
    shutil.copy(shifted_set, folder / "test.npz")
    files["xyz_profile"] = folder / "test.npz"
    models = {"joint": joint, "supervised": supervised}
    return {**files, **models, "test": shifted_set, "profile": profile, "config": config}


# What is given, and words of the one line that must come back.
CASES = {
    **{
        f"{verb} of {name}": (f"{verb} {{{name}}} {DEFAULTS[verb]}", words)
        for verb in DEFAULTS
        for name, words in {
            "nan": ("nan.extxyz, structure 1 (CH2O2)", "position of atom 2"),
            "empty": ("empty.extxyz", "the file is empty"),
            "truncated": ("truncated.extxyz", "truncated"),
            "missing": ("missing.extxyz: no such file",),
            "infinite": ("infinite.extxyz, structure 0 (ClNa)", "set the cell"),
            "x": ("x.extxyz, structure 1", "atom 0 has the unknown element"),
        }.items()
    },
    **{
        f"{verb} without labels": (
            f"{verb} {{unlabelled}} {DEFAULTS[verb]}",
            ("unlabelled.extxyz, structure 1 (H2O) has no", "REF_energy (eV) and REF_forces"),
        )
        for verb in ("train", "evaluate")
    },
    **{
        f"{verb} with mixed levels": (
            f"{verb} {{mixed}} {DEFAULTS[verb]}",
            ("2 levels of theory (GFN1-xTB as reference; PBE)",),
        )
        for verb in ("train", "evaluate", "profile")
    },
    **{
        f"{what} with a foreign element": (
            f"{what} {{gold}} --model {{joint}} {more}",
            ("gold.extxyz, structure 0 (HAu) holds Au", "it knows H, C, N, O"),
        )
        for what, more in {
            "evaluate": "",
            "diagnose": "--profile {profile}",
            "train": "--strategy supervised",
            "refine": "--method ttt --prior gfn2",
        }.items()
    },
    "folder for a file": ("evaluate . --model emt", ("is a folder: name the files in it",)),
    "too few": ("profile {test} --cutoff 4", ("at least 10 training structures, got 6",)),
    "no model, no cutoff": ("profile {test}", ("--model", "--cutoff")),
    "two cutoffs": ("profile {test} --model {joint} --cutoff 5", ("4.0 Å", "leave --cutoff out")),
    "no cutoff": ("profile {test} --model emt", ("give --cutoff (Å)",)),
    "model alias": ("evaluate {test} --model embeded", ("did you mean 'embedded'?",)),
    "model code": (
        "evaluate {test} --model ase:Atom5",
        ("ase has no 'Atom5'; did you mean 'Atom'?",),
    ),
    "model is none": ("evaluate {test} --model ase:Atoms", ("a farfield potential",)),
    "prior alias": ("label {test} --prior gnf2", ("did you mean 'gfn2'?",)),
    "method": (
        "refine {test} --model {joint} --method raduis",
        ("unknown method 'raduis'", "did you mean 'radius'?"),
    ),
    "strategy": ("train {test} --strategy jiont", ("did you mean 'joint'?",)),
    "architecture": (
        "train {test} --strategy supervised --architecture mac",
        ("did you mean 'mace'?",),
    ),
    "head": ("evaluate {test} --model {joint} --head gfn1", ("did you mean 'gfn2'?",)),
    "key": ("train {test} --strategy supervised --config {key}", ("did you mean 'epochs'?",)),
    "nested key": (
        "train {test} --strategy supervised --config {size}",
        ("architecture: unknown key 'chanels'", "did you mean 'channels'?"),
    ),
    "value": ("train {test} --strategy supervised --config {value}", ("epochs: ", "'many'")),
    "no keys": ("train {test} --strategy supervised --config {lines}", ("'key: value' lines",)),
    "no config": ("train {test} --strategy supervised --config none.yaml", ("no such file",)),
    "another model's profile": (
        "diagnose {test} --profile {profile} --model {supervised}",
        ("made with another model", "farfield profile --model"),
    ),
    "another model's profile in the gate": (
        "refine {test} --profile {profile} --model {supervised} --method ttt --prior gfn2",
        ("made with another model",),
    ),
    "damaged profile": (
        "diagnose {test} --profile {cut_profile}",
        ("cut_profile", "make it again"),
    ),
    "no profile at all": ("diagnose {test} --profile {xyz_profile}", ("not a readable",)),
    "missing profile": (
        "diagnose {test} --profile {missing}",
        ("no such file", "farfield profile"),
    ),
    "damaged model": ("evaluate {test} --model {cut_model}", ("cut_model", "not a readable")),
    "structures for a model": ("evaluate {test} --model {test}", ("not a readable",)),
    "radius without profile": ("refine {test} --model {joint} --method radius", ("--profile",)),
    "ttt without prior": ("refine {test} --model {joint} --method ttt", ("--prior, such as gfn2",)),
    "joint without prior": ("train {test} --strategy joint", ("--prior, such as gfn2",)),
    "ttt without head": (
        "refine {test} --model {supervised} --method ttt --prior gfn2",
        ("none for the prior 'gfn2'", "--strategy joint"),
    ),
    "ttt of a black box": (
        "refine {test} --model emt --method ttt --prior gfn2",
        ("EMT (ASE calculator) does not offer",),
    ),
    "radius of a black box": (
        "refine {test} --model emt --method radius --profile {profile}",
        ("EMT (ASE calculator) does not offer",),
    ),
    "export of a black box": ("export emt", ("EMT (ASE calculator) does not offer",)),
    "unknown option": ("profile {test} --cutof 4", ("did you mean '--cutoff'?",)),
    "unknown verb": ("profil {test}", ("Did you mean 'profile'?",)),
    "impossible value": ("diagnose {test} --profile {profile} --fail-above 2", ("--fail-above",)),
    "output below a file": (
        "label {test} --prior gfn2 -o {test}/a.xyz",
        ("test.extxyz: a folder is",),
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_bad_input_is_refused_on_one_line(case, farfield, bad, tmp_path, monkeypatch):
    given, words = CASES[case]
    monkeypatch.chdir(tmp_path)
    arguments = given.format(**bad).split()
    if "-o" not in arguments and "evaluate" not in arguments:
        arguments += ["-o", "result"]
    done = farfield(*arguments)
    print(done.err)
    assert done.code == 2
    assert done.out == ""
    assert done.err.startswith("farfield: error: ")
    assert done.err.count("\n") == 1, done.err
    assert "Traceback" not in done.err
    for word in words:
        assert word in done.err
    assert list(tmp_path.iterdir()) == []  # nothing was begun
