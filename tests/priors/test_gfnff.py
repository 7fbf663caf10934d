from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from ase import Atoms
from ase.build import molecule

from farfield.errors import CapabilityError, DependencyError
from farfield.priors import Failure, GFNFFPrior, compute

STEP = 1e-4  # Å


@pytest.fixture
def prior():
    pytest.importorskip("xtb", reason="the prior gfnff needs xtb")
    return GFNFFPrior()


def hot(name="CH3CH2OH", seed=0):
    atoms = molecule(name)
    atoms.rattle(0.08, seed=seed)
    return atoms


@pytest.mark.parametrize(
    ("version", "error", "message"),
    [
        ((3, 11), DependencyError, r"pip install 'farfield\[gfnff\]'"),
        ((3, 12), CapabilityError, r"conda-forge"),
    ],
)
def test_a_missing_package_says_what_to_do(monkeypatch, version, error, message):
    monkeypatch.setitem(sys.modules, "xtb", None)
    monkeypatch.setattr(sys, "version_info", version)
    with pytest.raises(error, match=message):
        GFNFFPrior().calculator()


def test_energies_and_forces_are_those_of_xtb(prior, tmp_path, monkeypatch):
    from xtb.ase.calculator import XTB

    monkeypatch.chdir(tmp_path)
    atoms = hot()
    labels = compute(prior, atoms)
    atoms.calc = XTB(method="GFNFF")
    assert labels.energy == pytest.approx(atoms.get_potential_energy(), abs=1e-9)
    np.testing.assert_allclose(labels.forces, atoms.get_forces(), atol=1e-9)


def test_forces_are_the_gradient_of_the_energy_to_a_millionth(prior):
    atoms = hot()
    calculator = prior.calculator()
    forces = compute(prior, atoms, calculator).forces
    for index in ((0, 0), (2, 1), (8, 2)):
        energies = []
        for sign in (1, -1):
            moved = atoms.copy()
            moved.positions[index] += sign * STEP
            energies.append(compute(prior, moved, calculator).energy)
        numeric = -(energies[0] - energies[1]) / (2 * STEP)
        assert forces[index] == pytest.approx(numeric, abs=1e-6)


def test_isomers_in_turn_do_not_disturb_each_other(prior):
    frames = [hot("CH3CH2OH"), hot("CH3OCH3"), hot("CH3CH2OH", seed=1), hot("CH3OCH3", seed=1)]
    used = prior.calculator()
    for atoms in (*frames, *frames):
        again, fresh = compute(prior, atoms, used), compute(prior, atoms)
        assert again.energy == fresh.energy
        np.testing.assert_array_equal(again.forces, fresh.forces)


def test_the_working_directory_is_neither_written_nor_read(prior, tmp_path, monkeypatch):
    expected = compute(prior, hot()).energy
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".CHRG").write_text("1\n1\n")  # xtb would take fragment charges from it
    (tmp_path / "gfnff_topo").write_text("not a topology")
    assert compute(prior, hot()).energy == expected
    assert sorted(path.name for path in tmp_path.iterdir()) == [".CHRG", "gfnff_topo"]


def test_nothing_is_printed_to_a_file_or_a_pipe(prior, tmp_path):
    code = (
        "from ase.build import molecule; from farfield.priors import GFNFFPrior, compute; "
        "print(compute(GFNFFPrior(), molecule('CH4')).energy); print('end')"
    )
    with (tmp_path / "out").open("w+") as out:
        subprocess.run([sys.executable, "-c", code], stdout=out, check=True, timeout=120)
        out.seek(0)
        lines = out.read().splitlines()
    assert len(lines) == 2 and lines[1] == "end"


def test_charge_is_taken_from_info_and_must_be_whole(prior):
    used = prior.calculator()
    water, cation = molecule("H2O"), molecule("H2O")
    cation.info["charge"] = 1
    energies = [compute(prior, atoms, used).energy for atoms in (water, cation, water)]
    assert energies[0] == energies[2] != energies[1]
    cation.info["charge"] = 0.5
    assert "whole number" in compute(prior, cation).reason


def test_periodic_structures_and_elements_beyond_radon_are_refused(prior):
    assert "periodic" in compute(prior, molecule("H2O", cell=[9, 9, 9], pbc=True)).reason
    assert "Fr" in compute(prior, Atoms("Fr")).reason


def test_pairs_of_metals_whose_gradient_is_wrong_are_refused(prior):
    pair = Atoms("Au2", positions=[[0, 0, 0], [0, 0, 2.6]])
    assert "wrong forces" in compute(prior, pair).reason
    pair.symbols[0] = "Cl"
    assert not isinstance(compute(prior, pair), Failure)
