"""Every architecture but MACE goes through all strategies and refinements, on four atoms."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from ase import Atoms
from ase.calculators.lj import LennardJones

from farfield import load_model, read
from farfield.potentials.adapters import ARCHITECTURES
from farfield.structures import Labels, attach, write

TETRAHEDRON = 0.92 * np.array([(1, 1, 1), (1, -1, -1), (-1, 1, -1), (-1, -1, 1)])  # sides 2.6 Å
SMALL = {
    "chgnet": "",
    "schnet": "{channels: 8, layers: 2}",
    "painn": "{channels: 8, layers: 2}",
    "nequip": "{channels: 4, layers: 2, n_bessel: 8}",
    "tensornet": "{channels: 4, layers: 2}",
    **dict.fromkeys(("gemnet-t", "gemnet-dt"), "{atom_channels: 8, edge_channels: 8, n_blocks: 2}"),
}
ADDED = (*(name for name in ARCHITECTURES if name != "mace"), "chgnet")
NO_NATIVE_FILE = ("gemnet-t", "gemnet-dt")
PACKAGES = {"gemnet-t": None, "gemnet-dt": None, "chgnet": "chgnet"}  # the others: graph_pes


def clusters(formulas: list[str], seed: int) -> list[Atoms]:
    """Rattled clusters with labels of a Lennard-Jones potential as the reference."""
    random = np.random.default_rng(seed)
    found = []
    for formula in formulas:
        atoms = Atoms(formula, TETRAHEDRON + random.normal(scale=0.1, size=(4, 3)))
        atoms.calc = LennardJones(sigma=2.3, epsilon=0.4, rc=8.0)
        labels = Labels(atoms.get_potential_energy(), atoms.get_forces(), None, "LJ")
        atoms.calc = None
        attach(atoms, labels)
        found.append(atoms)
    return found


@pytest.fixture(scope="module")
def sets(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    folder = tmp_path_factory.mktemp("clusters")
    train, test = folder / "train.extxyz", folder / "test.extxyz"
    write(train, clusters(["Cu4", "Cu2Au2", "Cu3Au", "Cu4"] * 3, seed=0))
    write(test, clusters(["CuAu3", "Au4"] * 2, seed=1))
    return train, test


@pytest.mark.parametrize("architecture", ADDED)
def test_every_strategy_and_refinement(architecture, farfield, sets, tmp_path):
    package = PACKAGES.get(architecture, "graph_pes")
    if package is not None:
        extra = package.replace("_", "")
        pytest.importorskip(package, reason=f"not installed: pip install 'farfield[{extra}]'")
    train, test = sets
    few = "epochs: 2\nbatch_size: 4\n"
    (tmp_path / "few.yaml").write_text(few)
    (tmp_path / "tiny.yaml").write_text(f"{few}architecture: {SMALL[architecture]}\n")

    def run(*arguments: object) -> str:
        done = farfield(*arguments)
        assert done.code == 0, done.err
        return done.out

    def trained(strategy: str, *more: object, config: str = "tiny.yaml") -> Path:
        path = tmp_path / f"{strategy}.pt"
        known = ("--strategy", strategy, "--config", tmp_path / config)
        run("train", train, *known, *more, "-o", path)
        return path

    new, config = ("--architecture", architecture), "tiny.yaml"
    if architecture == "chgnet":  # it has weights of its own, and is not made anew
        new, config = ("--model", "chgnet"), "few.yaml"
    emt = ("--prior", "emt")
    supervised = trained("supervised", *new, config=config)
    joint = trained("joint", *new, *emt, config=config)
    retrofit = trained("retrofit", "--model", supervised, *emt, config="few.yaml")
    freeze = trained("freeze", *new, *emt, "--pretrain", train, config=config)
    for path in (joint, retrofit, freeze):
        assert load_model(str(path)).heads == ("reference", "emt")
    if architecture == "chgnet":
        refused = farfield("train", train, "--strategy", "delta", *new, *emt, "-o", "delta.pt")
        assert refused.code == 2 and "delta trains a new model" in refused.err
    else:
        delta = load_model(str(trained("delta", *new, *emt, config=config)))
        assert np.isfinite(delta.predict(read(test))[0].energy)
    profile = tmp_path / "profile.npz"
    run("profile", train, "--model", joint, "-o", profile)

    before = load_model(str(joint)).predict(read(test))
    given = {
        "ttt": ("--prior", "emt", "--profile", profile, "--replay", train, "--steps", 3, "--force"),
        "correction": ("--prior", "emt", "--like-training", train, "--force"),
        "distil": (
            *("--prior", "emt", "--replay", train, "--steps", 3),
            *("--on", "given", "--force"),
        ),
        "radius": ("--profile", profile),
        "auto": ("--prior", "emt", "--replay", train),
    }
    for method, options in given.items():
        folder = tmp_path / method
        run("refine", test, "--model", joint, "--method", method, *options, "-o", folder)
        after = load_model(str(folder / "model")).predict(read(test))
        moved = max(np.abs(a.forces - b.forces).max() for a, b in zip(after, before, strict=True))
        told = json.loads((folder / "record.json").read_text())["reasons"]
        nothing = "so there is nothing to distil" in told[0]  # barely trained: β may be 0
        assert np.isfinite(moved)
        assert moved > 0.0 or method in ("radius", "auto") or nothing
        printed = json.loads(run("evaluate", test, "--model", folder / "model", "--json"))
        assert printed["n_structures"] == 4 and np.isfinite(printed["force_mae_eV_per_A"])

    conservative = load_model(str(tmp_path / "correction" / "model")).conservative
    assert conservative == (architecture != "gemnet-dt")
    done = farfield("export", joint, "-o", tmp_path / "native")
    if architecture in NO_NATIVE_FILE:
        assert done.code == 2 and "export to a native model file" in done.err
    else:
        assert done.code == 0 and (tmp_path / "native").stat().st_size > 0
