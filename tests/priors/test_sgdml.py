from __future__ import annotations

import pickle
import subprocess
import sys

import numpy as np
import pytest
from ase import Atoms
from ase.build import molecule
from ase.calculators.emt import EMT
from ase.units import Bohr, Hartree, kcal, mol

from farfield.errors import ConfigError, DependencyError, ModelError
from farfield.priors import SGDMLPrior, compute, load_prior
from farfield.priors.sgdml import own_loggers
from farfield.testing import check_prior

NAME = "CH3OH"


def frames(count, seed):
    generator = np.random.default_rng(seed)
    found = [molecule(NAME) for _ in range(count)]
    for atoms in found:
        atoms.positions += generator.normal(0.0, 0.04, atoms.positions.shape)
        atoms.calc = EMT()
    return found


def train(energy=kcal / mol, length=1.0, **extra):
    """An sGDML model of EMT's methanol, in units of so many eV and Å."""
    with own_loggers():
        train = pytest.importorskip("sgdml.train", reason="sGDML models need sgdml")
    given = frames(30, seed=0)
    task = {
        "type": "t",
        "dataset_name": "methanol",
        "dataset_theory": "EMT",
        "z": given[0].numbers,
        "R_train": np.array([atoms.positions / length for atoms in given]),
        "F_train": np.array([atoms.get_forces() * length / energy for atoms in given]),
        "E_train": np.array([atoms.get_potential_energy() / energy for atoms in given]),
        "idxs_train": np.arange(len(given)),
        "md5_train": "",
        "idxs_valid": np.arange(1),
        "md5_valid": "",
        "sig": 10,
        "lam": 1e-10,
        "use_E": True,
        "use_E_cstr": False,
        "use_sym": False,
        "perms": np.arange(len(given[0]))[None],
        **extra,
    }
    return train.GDMLTrain(max_processes=1).train(task)


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    file = tmp_path_factory.mktemp("sgdml") / "methanol-emt.npz"
    np.savez_compressed(file, **train(r_unit="Ang", e_unit="kcal/mol"))
    return file


@pytest.fixture
def changed(path, tmp_path):
    """Make a copy of the model's file with other entries; None removes one."""

    def make(**entries):
        with np.load(path, allow_pickle=True) as file:
            content = {key: file[key] for key in file.files} | entries
        target = tmp_path / "changed.npz"
        np.savez_compressed(target, **{k: v for k, v in content.items() if v is not None})
        return target

    return make


def test_it_keeps_the_contract(path):
    check_prior(load_prior(f"sgdml:{path}"), frames(3, seed=1))


@pytest.mark.parametrize("atomic", [False, True])
def test_its_labels_are_those_it_was_trained_on_in_ev(path, atomic, tmp_path):
    if atomic:
        path = tmp_path / "atomic.npz"
        np.savez(path, **train(Hartree, Bohr, r_unit="bohr", e_unit="hartree"))
    prior = SGDMLPrior(path)
    for atoms in frames(5, seed=2):
        labels = compute(prior, atoms)
        assert labels.energy == pytest.approx(atoms.get_potential_energy(), abs=0.02)
        error = np.abs(labels.forces - atoms.get_forces()).mean()
        assert error < 0.05 * np.abs(atoms.get_forces()).mean()


def test_other_units_of_the_same_model_give_the_same_labels(path, changed):
    atoms = frames(1, seed=3)[0]
    expected = compute(SGDMLPrior(path), atoms)
    hartree = {key: np.load(path)[key] * (kcal / mol / Hartree) for key in ("std", "c")}
    found = compute(SGDMLPrior(changed(e_unit="hartree", **hartree)), atoms)
    assert found.energy == pytest.approx(expected.energy, abs=1e-9)
    np.testing.assert_allclose(found.forces, expected.forces, atol=1e-9)
    assert found.level_of_theory != expected.level_of_theory


def test_units_must_be_known(path, changed):
    bare = changed(e_unit=None, r_unit=None)
    with pytest.raises(ConfigError, match=r"declares no units: .*sgdml:changed.npz@kcal/mol"):
        SGDMLPrior(bare)
    atoms = frames(1, seed=3)[0]
    named = compute(load_prior(f"sgdml:{bare}@kcal/mol"), atoms)
    assert named.energy == compute(SGDMLPrior(path), atoms).energy
    with pytest.raises(ConfigError, match=r"unknown unit 'kcal/mo'; did you mean 'kcal/mol'"):
        load_prior(f"sgdml:{bare}@kcal/mo")
    with pytest.raises(ConfigError, match="declares energies in kcal/mol, not in eV"):
        load_prior(f"sgdml:{path}@eV")
    with pytest.raises(ConfigError, match="unknown unit 'furlong'"):
        SGDMLPrior(changed(r_unit="furlong"))


def test_other_molecules_and_orders_are_refused(path):
    prior = SGDMLPrior(path)
    given = frames(1, seed=4)[0]
    assert "COHHHH in this order" in compute(prior, given[::-1]).reason
    assert "in this order" in compute(prior, molecule("CH4")[:4]).reason
    assert "no parameters for Cl" in compute(prior, Atoms("Cl")).reason
    assert "periodic" in compute(prior, molecule(NAME, cell=[9, 9, 9], pbc=True)).reason


def test_hydrogens_that_change_places_are_noticed(path):
    swapped = frames(1, seed=4)[0]
    hydroxyl, methyl = 3, 2
    assert swapped.get_distance(1, hydroxyl) < 1.2 < swapped.get_distance(1, methyl)
    swapped.positions[[hydroxyl, methyl]] = swapped.positions[[methyl, hydroxyl]]
    reason = compute(SGDMLPrior(path), swapped).reason
    assert "in another order, or it is broken" in reason


def test_it_travels_to_other_processes_and_notices_a_new_file(changed):
    file = changed(sig=10)
    prior = SGDMLPrior(file)
    copy = pickle.loads(pickle.dumps(prior))
    atoms = frames(1, seed=3)[0]
    assert compute(copy, atoms).energy == compute(prior, atoms).energy
    changed(sig=11)
    with pytest.raises(ModelError, match="has changed"):
        copy.calculator()


def test_its_name_is_fit_for_keys(path):
    assert SGDMLPrior(path).name == "sgdml_methanol_emt"


def test_what_is_no_model_is_said(changed, tmp_path):
    with pytest.raises(ModelError, match="there is no sGDML model"):
        SGDMLPrior(tmp_path / "none.npz")
    other = tmp_path / "other.npz"
    other.write_text("text")
    with pytest.raises(ModelError, match="is no sGDML model"):
        SGDMLPrior(other)
    np.savez(other, x=np.ones(3))
    with pytest.raises(ModelError, match="is no sGDML model"):
        SGDMLPrior(other)
    with pytest.raises(ModelError, match="of another kind"):
        SGDMLPrior(changed(type="d"))
    with pytest.raises(ModelError, match="periodic"):
        SGDMLPrior(changed(lattice=9.0 * np.eye(3)))


def test_nothing_pickled_is_run(changed):
    with pytest.raises(ModelError, match="is no sGDML model"):
        SGDMLPrior(changed(z=np.array([{"a": 1}], dtype=object)))


def test_the_loggers_of_others_are_left_alone(path):
    code = (
        "import logging, sys; from farfield.priors import SGDMLPrior; "
        "SGDMLPrior(sys.argv[1]).calculator(); assert 'sgdml' in sys.modules; "
        "sys.exit(type(logging.getLogger('torch._dynamo')).__module__ != 'logging' "
        "or logging.getLoggerClass() is not logging.Logger)"
    )
    done = subprocess.run([sys.executable, "-c", code, path], check=False, timeout=120)
    assert done.returncode == 0


def test_a_missing_package_gives_its_install_command(path, monkeypatch):
    monkeypatch.setitem(sys.modules, "sgdml.predict", None)
    with pytest.raises(DependencyError, match=r"pip install 'farfield\[sgdml\]'"):
        SGDMLPrior(path).calculator()
