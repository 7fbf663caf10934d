"""A small labelled set and models of three epochs, made by the command line itself."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from unittest import mock

import numpy as np
import pytest
from ase import Atoms
from ase.build import molecule

from farfield.cli.main import main
from farfield.priors import label as label_with
from farfield.priors import load_prior
from farfield.structures import attach, write

LEVEL = "GFN1-xTB as reference"
SETTINGS = """
epochs: 3
batch_size: 8
architecture: {cutoff: 4.0, channels: 8, max_ell: 1, correlation: 1, radial_widths: [16]}
"""


@dataclass(frozen=True)
class Done:
    """How a command ended: its exit code, and what it wrote."""

    code: int
    out: str
    err: str


Command = Callable[..., Done]


@pytest.fixture(scope="session")
def farfield() -> Command:
    """Run the command line in this process."""

    def run(*arguments: object) -> Done:
        out, err = io.StringIO(), io.StringIO()
        words = ["farfield", *map(str, arguments)]
        with mock.patch.object(sys, "argv", words), redirect_stdout(out), redirect_stderr(err):
            try:
                main()
            except SystemExit as end:
                code = int(end.code or 0)
        return Done(code, out.getvalue(), err.getvalue())

    return run


@pytest.fixture(scope="session")
def shell() -> Command:
    """Run the command line in a process of its own."""

    def run(*arguments: object) -> Done:
        done = subprocess.run(
            [sys.executable, "-m", "farfield", *map(str, arguments)],
            capture_output=True,
            text=True,
            env=os.environ | {"OMP_NUM_THREADS": "1"},
            timeout=600,
            check=False,
        )
        return Done(done.returncode, done.stdout, done.stderr)

    return run


def rattled(names: list[str], count: int, seed: int, scale: float = 0.06) -> list[Atoms]:
    random = np.random.default_rng(seed)
    structures = [molecule(names[index % len(names)]) for index in range(count)]
    for atoms in structures:
        atoms.positions += random.normal(scale=scale, size=(len(atoms), 3))
    return structures


def referenced(structures: list[Atoms]) -> list[Atoms]:
    """With labels of GFN1-xTB in the place of a reference."""
    for atoms, labels in zip(structures, label_with(structures, load_prior("gfn1")), strict=True):
        attach(atoms, labels)
        atoms.info["REF_level_of_theory"] = LEVEL
    return structures


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pytest.importorskip("tblite", reason="the prior gfn2 needs tblite")
    pytest.importorskip("mace", reason="the models are MACE models")
    return tmp_path_factory.mktemp("inputs")


@pytest.fixture(scope="session")
def train_set(folder) -> Path:
    """Rattled ethanol, methanol, water and acetamide, and the isolated atoms."""
    molecules = rattled(["CH3CH2OH", "CH3OH", "H2O", "CH3CONH2"], 24, seed=1)
    atoms = [Atoms(symbol) for symbol in "HCNO"]
    write(folder / "train.extxyz", referenced(molecules + atoms))
    return folder / "train.extxyz"


@pytest.fixture(scope="session")
def shifted_set(folder) -> Path:
    """Rattled ethane and formic acid, which are not in the training set."""
    write(folder / "test.extxyz", referenced(rattled(["C2H6", "HCOOH"], 6, seed=2, scale=0.12)))
    return folder / "test.extxyz"


@pytest.fixture(scope="session")
def config(folder) -> Path:
    path = folder / "tiny.yaml"
    path.write_text(SETTINGS)
    return path


@pytest.fixture(scope="session")
def joint(shell, train_set, config, folder) -> Path:
    """A model with two heads."""
    path = folder / "joint.pt"
    done = shell(
        "train", train_set, "--strategy", "joint", "--prior", "gfn2", "--config", config, "-o", path
    )
    assert done.code == 0, done.err
    assert done.out == ""
    assert done.err.count("\n") == 1, done.err  # no warning of a library
    assert "heads reference, gfn2" in done.err
    return path


@pytest.fixture(scope="session")
def supervised(farfield, train_set, config, folder) -> Path:
    """A model with the main head alone."""
    path = folder / "supervised.pt"
    done = farfield("train", train_set, "--strategy", "supervised", "--config", config, "-o", path)
    assert done.code == 0, done.err
    return path


@pytest.fixture(scope="session")
def profile(farfield, train_set, joint, folder) -> Path:
    """The profile of the training set with the two-head model."""
    path = folder / "profile.npz"
    done = farfield("profile", train_set, "--model", joint, "-o", path)
    assert done.code == 0, done.err
    return path
