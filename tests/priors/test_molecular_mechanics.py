from __future__ import annotations

import sys

import numpy as np
import pytest
from ase import Atoms
from ase.build import molecule
from ase.units import kcal, mol

from farfield.errors import DependencyError
from farfield.priors import Failure, MMFF94Prior, UFFPrior, compute

STEP = 1e-4  # Å
BOTH = pytest.mark.parametrize("kind", [UFFPrior, MMFF94Prior])


@pytest.fixture(autouse=True)
def _rdkit(request):
    if "monkeypatch" not in request.fixturenames:
        pytest.importorskip("rdkit", reason="the priors uff and mmff94 need rdkit")


def made(smiles, seed=7):
    """A molecule whose bonds RDKit knows from the SMILES, and its atoms for us."""
    from rdkit import Chem
    from rdkit.Chem import AllChem

    known = Chem.AddHs(Chem.MolFromSmiles(smiles))
    AllChem.EmbedMolecule(known, randomSeed=seed)
    positions = known.GetConformer().GetPositions()
    atoms = Atoms([atom.GetAtomicNum() for atom in known.GetAtoms()], positions)
    atoms.info["charge"] = Chem.GetFormalCharge(known)
    return known, atoms


@BOTH
def test_a_missing_package_gives_its_install_command(kind, monkeypatch):
    for name in ("rdkit", "rdkit.Chem"):
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(DependencyError, match=r"pip install 'farfield\[rdkit\]'"):
        kind().calculator()


MOLECULES = {
    "aspirin": "CC(=O)Oc1ccccc1C(=O)O",
    "uracil": "O=C1C=CNC(=O)N1",
    "acetylacetone": "CC(=O)C=C(C)O",
    "ammonium": "C[NH3+]",
    "thiophene": "c1ccsc1",
    "trifluoroethanol": "OCC(F)(F)F",
    "methyl phosphate": "COP(=O)(O)O",
}


@BOTH
@pytest.mark.parametrize("smiles", MOLECULES.values(), ids=MOLECULES)
def test_perceived_bonds_give_what_known_bonds_give(kind, smiles):
    from rdkit.Chem import rdForceFieldHelpers

    known, atoms = made(smiles)
    if kind is UFFPrior:
        field = rdForceFieldHelpers.UFFGetMoleculeForceField(known)
    else:
        types = rdForceFieldHelpers.MMFFGetMoleculeProperties(known)
        field = rdForceFieldHelpers.MMFFGetMoleculeForceField(known, types)
    labels = compute(kind(), atoms)
    assert labels.energy == pytest.approx(field.CalcEnergy() * kcal / mol, abs=1e-6)
    gradient = np.array(field.CalcGrad()).reshape(-1, 3) * kcal / mol
    np.testing.assert_allclose(labels.forces, -gradient, atol=1e-6)


RESONANT = {
    "nitromethane": "C[N+](=O)[O-]",
    "acetate": "CC(=O)[O-]",
    "guanidinium": "NC(N)=[NH2+]",
    "azide": "CN=[N+]=[N-]",
    "benzyl cation": "[CH2+]c1ccccc1",
    "azulene": "c1ccc2cccc-2cc1",
}


@BOTH
@pytest.mark.parametrize("names", [*((name,) for name in RESONANT), ("nitromethane",) * 2], ids=str)
def test_the_order_of_atoms_does_not_choose_the_bond_orders(kind, names):
    atoms = made(RESONANT[names[0]])[1]
    if len(names) == 2:
        atoms += Atoms(atoms.numbers, atoms.positions + np.array([0.5, 0.3, 6.0]))
    generator = np.random.default_rng(0)
    calculator = kind().calculator()
    expected = compute(kind(), atoms, calculator)
    for _ in range(6):
        order = generator.permutation(len(atoms))
        shuffled = atoms[order]
        shuffled.info["charge"] = atoms.info["charge"]
        found = compute(kind(), shuffled, calculator)
        assert found.energy == pytest.approx(expected.energy, abs=1e-9)
        np.testing.assert_allclose(found.forces, expected.forces[order], atol=1e-9)


def test_equivalent_bond_orders_are_averaged():
    from rdkit.Chem import rdForceFieldHelpers

    known, atoms = made(RESONANT["nitromethane"])
    energies = []
    for order in ((0, 1, 2, 3, 4, 5, 6), (0, 1, 3, 2, 4, 5, 6)):  # the oxygens change places
        conformer = known.GetConformer()
        conformer.SetPositions(atoms.positions[list(order)])
        energies.append(rdForceFieldHelpers.UFFGetMoleculeForceField(known).CalcEnergy())
    assert abs(energies[0] - energies[1]) > 1.0  # kcal/mol
    expected = np.mean(energies) * kcal / mol
    assert compute(UFFPrior(), atoms).energy == pytest.approx(expected, abs=1e-9)


def test_too_many_equivalents_are_a_failure(monkeypatch):
    from farfield.priors import bonds

    monkeypatch.setattr(bonds, "MOST_EQUIVALENTS", 2)
    _, atoms = made(RESONANT["nitromethane"])
    assert "too many to average" in compute(UFFPrior(), atoms).reason


@BOTH
def test_forces_of_a_hot_molecule_are_the_gradient_of_the_energy(kind):
    _, atoms = made(MOLECULES["aspirin"])
    atoms.rattle(0.06, seed=0)
    prior = kind()
    calculator = prior.calculator()
    forces = compute(prior, atoms, calculator).forces
    for index in ((0, 0), (7, 1), (20, 2)):
        energies = []
        for sign in (1, -1):
            moved = atoms.copy()
            moved.positions[index] += sign * STEP
            energies.append(compute(prior, moved, calculator).energy)
        numeric = -(energies[0] - energies[1]) / (2 * STEP)
        assert forces[index] == pytest.approx(numeric, abs=1e-5)


@BOTH
def test_bonds_of_hot_molecules_are_found(kind):
    _, atoms = made(MOLECULES["aspirin"])
    calculator = kind().calculator()
    for seed in range(30):
        frame = atoms.copy()
        frame.rattle(0.07, seed=seed)  # larger than thermal motion at 500 K
        assert not isinstance(compute(kind(), frame, calculator), Failure)


@BOTH
def test_what_was_seen_before_changes_nothing(kind):
    frames = [molecule(name) for name in ("CH3CH2OH", "CH3OCH3", "CH3CH2OH", "C6H6", "CH3OCH3")]
    for seed, atoms in enumerate(frames):
        atoms.rattle(0.05, seed=seed)
    used = kind().calculator()
    for atoms in (*frames, *frames):
        again, fresh = compute(kind(), atoms, used), compute(kind(), atoms)
        assert again.energy == fresh.energy
        np.testing.assert_array_equal(again.forces, fresh.forces)


@BOTH
def test_molecules_attract_each_other(kind):
    near = molecule("CH4") + molecule("CH4")
    near.positions[5:, 2] += 4.5
    far = near.copy()
    far.positions[5:, 2] += 40.0
    assert compute(kind(), near).energy < compute(kind(), far).energy - 0.003


@BOTH
def test_a_charge_that_fits_no_bonds_is_a_failure_with_its_reason(kind):
    _, atoms = made(MOLECULES["aspirin"])
    atoms.info["charge"] = 3
    assert "no bond orders fit" in compute(kind(), atoms).reason


def test_a_radical_is_taken_by_uff_and_not_by_mmff94():
    _, atoms = made("CCO")
    atoms = atoms[: len(atoms) - 1]  # without the hydrogen of the hydroxyl group
    assert not isinstance(compute(UFFPrior(), atoms), Failure)
    assert "unpaired electrons" in compute(MMFF94Prior(), atoms).reason


@BOTH
def test_metals_and_crystals_are_refused(kind):
    assert "no parameters" in compute(kind(), Atoms("Cu")).reason
    assert "periodic" in compute(kind(), molecule("H2O", cell=[9, 9, 9], pbc=True)).reason


@BOTH
def test_the_memory_of_bonds_is_bounded(kind, monkeypatch):
    from farfield.priors import molecular_mechanics

    monkeypatch.setattr(molecular_mechanics, "CACHE", 1)
    calculator = kind().calculator()
    for name in ("CH4", "C2H6", "CH4"):
        expected = compute(kind(), molecule(name)).energy
        assert compute(kind(), molecule(name), calculator).energy == expected
