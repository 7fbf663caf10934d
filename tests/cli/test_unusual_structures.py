"""One atom, atoms that see nothing, and crystals go the whole way, with a black box."""

from __future__ import annotations

import json

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk, molecule
from ase.calculators.emt import EMT

from farfield.structures import Labels, attach, read, write


def labelled(atoms: Atoms, error: float = 0.0) -> Atoms:
    """With EMT's own energy and forces, all components off by ``error`` eV/Å."""
    atoms.calc = EMT()
    labels = Labels(atoms.get_potential_energy(), atoms.get_forces() + error, None, "EMT")
    atoms.calc = None
    attach(atoms, labels)
    return atoms


def crystals(count: int, seed: int) -> list[Atoms]:
    random = np.random.default_rng(seed)
    found = []
    for _ in range(count):
        atoms = bulk("Cu", cubic=True)
        atoms.positions += random.normal(scale=0.05, size=(4, 3))
        found.append(atoms)
    return found


UNUSUAL = {
    "one atom": Atoms("Cu"),
    "two atoms 20 Å apart": Atoms("Cu2", positions=[[0, 0, 0], [20, 0, 0]]),
    "one atom in a periodic cell": bulk("Cu"),
    "a crystal": crystals(1, seed=9)[0],
    "a slab": Atoms("Cu", cell=[2.5, 2.5, 0], pbc=[True, True, False]),
    "a molecule": molecule("H2O"),
}
VERDICTS = {  # where nothing else is right
    "one atom": "outside",
    "two atoms 20 Å apart": "outside",
    "a crystal": "inside",
    "a molecule": "outside",
}


@pytest.fixture(scope="module")
def emt_profile(farfield, tmp_path_factory):
    folder = tmp_path_factory.mktemp("emt")
    write(folder / "train.extxyz", [*crystals(20, seed=1), Atoms("Cu")])
    done = farfield(
        *("profile", folder / "train.extxyz", "--model", "emt", "--cutoff", 5),
        *("--json", "-o", folder / "profile.npz"),
    )
    assert done.code == 0, done.err
    assert json.loads(done.out)["n_structures"] == 20  # the isolated atom is left out
    assert json.loads(done.out)["axes"] == ["elements", "force_norm", "connectivity"]
    return folder / "profile.npz"


@pytest.mark.parametrize("name", UNUSUAL)
def test_diagnosis_and_evaluation_of(name, farfield, emt_profile, tmp_path):
    path = tmp_path / "unusual.extxyz"
    write(path, [labelled(UNUSUAL[name].copy(), error=0.25)])
    done = farfield(
        *("diagnose", path, "--profile", emt_profile, "--model", "emt"),
        *("--json", "-o", tmp_path / "diagnosis"),
    )
    assert done.code == 0, done.err
    assert "not scored: representation" in done.err
    found = json.loads(done.out)["structures"][0]
    assert set(found["scores"]) == {"elements", "force_norm", "connectivity"}
    assert all(np.isfinite(value) for value in found["scores"].values())
    assert found["verdict"] == VERDICTS.get(name, found["verdict"])
    written = read(tmp_path / "diagnosis" / "structures.extxyz")[0]
    assert np.isfinite(written.arrays["farfield_quantile_connectivity"]).all()

    done = farfield("evaluate", path, "--model", "emt", "--json")
    assert done.code == 0, done.err
    assert json.loads(done.out)["force_mae_eV_per_A"] == pytest.approx(0.25)
    assert json.loads(done.out)["energy_mae_per_atom_eV"] is None  # one structure, one constant


def test_an_element_unknown_to_the_black_box_is_one_line(farfield, emt_profile, tmp_path):
    write(tmp_path / "iron.extxyz", [bulk("Fe")])
    done = farfield(
        *("diagnose", tmp_path / "iron.extxyz", "--profile", emt_profile, "--model", "emt"),
        *("-o", tmp_path / "diagnosis"),
    )
    assert (done.code, done.err.count("\n")) == (2, 1)
    assert "iron.extxyz, structure 0 (Fe): EMT (ASE calculator) failed: " in done.err
    assert not (tmp_path / "diagnosis").exists()
