"""Two processes train as one does, to rounding, and the first alone speaks and writes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from ase import Atoms
from ase.build import molecule

from farfield import load_model, train, write
from farfield.potentials import TrainablePotential
from farfield.priors import EMTPrior, compute, require
from farfield.structures import Labels, attach
from farfield.training import load_settings

pytest.importorskip("graph_pes", reason="not installed: pip install 'farfield[graphpes]'")

# Seven samples in batches of two: the second process has no share of the last one. In the
# second phase a head may be missing from one process's share, or from both.
SETTINGS = """
epochs: 3
batch_size: 2
patience: 5
architecture: {cutoff: 4.0, channels: 6, layers: 2}
"""
ROUNDING = 1e-10  # of weights of about one, after 18 steps of Adam in float64


def structures() -> list[Atoms]:
    """Molecules of two sizes with the labels of EMT times 1.5, and isolated atoms."""
    prior, found = EMTPrior(), [molecule(("CH3OH", "HCN")[index % 2]) for index in range(7)]
    for index, atoms in enumerate(found):
        atoms.rattle(0.05, seed=index)
    found += [Atoms([number]) for number in (1, 6, 7, 8)]
    for atoms in found:
        labels = require(compute(prior, atoms), atoms, prior)
        assert labels.energy is not None
        attach(atoms, Labels(1.5 * labels.energy, 1.5 * labels.known_forces, None, "A"))
    return found


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("two")
    write(folder / "train.extxyz", structures())
    write(folder / "valid.extxyz", structures()[:3])
    (folder / "tiny.yaml").write_text(SETTINGS)
    return folder


def trained_by_one(folder: Path) -> TrainablePotential:
    return train(
        folder / "train.extxyz",
        strategy="freeze",
        architecture="painn",
        prior="emt",
        valid=folder / "valid.extxyz",
        settings=load_settings(folder / "tiny.yaml"),
        dtype="float64",
        cache=folder / "cache",
    )


@pytest.mark.slow
def test_two_processes_make_the_weights_of_one(folder: Path) -> None:
    out = folder / "out"
    done = subprocess.run(
        [
            *(sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", "2"),
            *("--standalone", "-m", "farfield", "train", "train.extxyz"),
            *("--strategy", "freeze", "--architecture", "painn", "--prior", "emt"),
            *("--valid", "valid.extxyz", "--config", "tiny.yaml", "--dtype", "float64"),
            *("--json", "--cache", "cache", "-o", "out/model.pt", "--report", "out"),
        ],
        cwd=folder,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=1200,  # two processes that share a busy core with others are slow
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr.count("training force RMSE") == 1
    told = json.loads(done.stdout)
    assert sorted(file.name for file in out.iterdir()) == [
        "model.pt",
        "report.html",
        "training.json",
    ]
    one, two = trained_by_one(folder), load_model(str(out / "model.pt"))
    assert isinstance(two, TrainablePotential)
    first, second = one.state(), two.state()
    apart = max(float((first[key] - second[key]).abs().nan_to_num().max()) for key in first)
    assert two.dtype == torch.float64 and apart < ROUNDING
    for key in ("loss", "force_rmse", "valid_force_mae"):
        wanted = [record[key] for record in one.metadata["history"]]
        found = [record[key] for record in two.metadata["history"]]
        assert found == pytest.approx(wanted, rel=1e-9)
        assert told[key] == found[-1]
