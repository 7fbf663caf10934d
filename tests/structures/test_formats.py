"""The formats that ASE reads arrive whole, with the labels that they hold."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk
from ase.calculators.singlepoint import SinglePointCalculator
from ase.constraints import FixAtoms
from ase.io import write as ase_write

from farfield.errors import StructureError
from farfield.structures import labels_of, read, write


@pytest.fixture
def salt() -> Atoms:
    atoms = bulk("NaCl", "rocksalt", a=5.64, cubic=True)
    rng = np.random.default_rng(5)
    atoms.positions += rng.normal(scale=0.05, size=(8, 3))
    forces, stress = rng.normal(size=(8, 3)), rng.normal(size=6)
    atoms.calc = SinglePointCalculator(atoms, energy=-27.25, forces=forces, stress=stress)
    return atoms


@pytest.mark.parametrize("name", ["a.extxyz", "a.xyz", "a.traj", "a.db", "a.json", "b@1.xyz"])
def test_formats_with_labels(tmp_path: Path, salt: Atoms, name: str) -> None:
    ase_write(tmp_path / name, [salt, salt])
    structures = read(tmp_path / name)
    assert len(structures) == 2
    for index, atoms in enumerate(structures):
        assert atoms.calc is None
        assert (atoms.info["farfield_file"], atoms.info["farfield_index"]) == (name, index)
        labels = labels_of(atoms)
        assert labels is not None
        assert labels.energy == -27.25
        np.testing.assert_allclose(labels.forces, salt.calc.results["forces"], atol=1e-8)
        np.testing.assert_allclose(labels.stress, salt.calc.results["stress"], atol=1e-12)


@pytest.mark.parametrize("name", ["a.cif", "POSCAR", "a.vasp", "a.xsf", "a.gen", "a.res"])
def test_formats_without_labels(tmp_path: Path, salt: Atoms, name: str) -> None:
    salt.calc = None
    ase_write(tmp_path / name, salt)
    (atoms,) = read(tmp_path / name)
    assert atoms.get_chemical_formula() == "Cl4Na4"
    assert atoms.pbc.all()
    np.testing.assert_allclose(atoms.cell.lengths(), 5.64, atol=1e-6)
    assert labels_of(atoms) is None
    write(tmp_path / "again.extxyz", [atoms])
    np.testing.assert_allclose(
        read(tmp_path / "again.extxyz")[0].positions, atoms.positions, atol=1e-8
    )


def test_constraints_are_dropped(tmp_path: Path, salt: Atoms) -> None:
    salt.set_constraint(FixAtoms([0, 1]))
    for name in ("a.traj", "POSCAR"):
        ase_write(tmp_path / name, salt)
        assert not read(tmp_path / name)[0].constraints


def test_a_partly_occupied_site_is_refused(tmp_path: Path, salt: Atoms) -> None:
    salt.calc = None
    ase_write(tmp_path / "a.cif", salt)
    path = tmp_path / "partial.cif"
    path.write_text((tmp_path / "a.cif").read_text().replace(" 1.0000", " 0.5000"))
    with pytest.raises(StructureError, match="partly occupied site"):
        read(path)


def test_several_files_in_order(tmp_path: Path, salt: Atoms) -> None:
    ase_write(tmp_path / "one.xyz", [salt])
    ase_write(tmp_path / "two.traj", [salt, salt])
    found = read([tmp_path / "two.traj", str(tmp_path / "one.xyz")])
    assert [(a.info["farfield_file"], a.info["farfield_index"]) for a in found] == [
        ("two.traj", 0),
        ("two.traj", 1),
        ("one.xyz", 0),
    ]
