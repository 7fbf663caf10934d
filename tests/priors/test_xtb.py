from __future__ import annotations

import sys

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk, molecule
from ase.constraints import FixAtoms

from farfield.errors import DependencyError
from farfield.priors import Failure, GFN2Prior, compute

# Printed in tblite's own documentation of its ASE calculator.
WATER = -137.96777594361677  # eV, GFN2-xTB, ase.build.molecule("H2O")
WATER_ANION = -131.50015843891816  # eV, the same with charge -1


@pytest.fixture
def prior():
    pytest.importorskip("tblite", reason="the prior gfn2 needs tblite")
    return GFN2Prior()


def test_a_missing_package_gives_its_install_command(monkeypatch):
    monkeypatch.setitem(sys.modules, "tblite", None)
    monkeypatch.setitem(sys.modules, "tblite.ase", None)
    with pytest.raises(DependencyError, match=r"pip install 'farfield\[xtb\]'"):
        GFN2Prior().calculator()


def test_energies_are_those_of_tblite(prior):
    assert compute(prior, molecule("H2O")).energy == pytest.approx(WATER, abs=1e-6)


def test_charge_is_taken_from_info_also_by_a_calculator_used_before(prior):
    used = prior.calculator()
    water, anion = molecule("H2O"), molecule("H2O")
    anion.info["charge"] = -1
    energies = [compute(prior, atoms, used).energy for atoms in (water, anion, water)]
    assert energies == pytest.approx([WATER, WATER_ANION, WATER], abs=1e-6)


def test_spin_is_the_multiplicity_and_one_is_the_lowest(prior):
    found = {}
    for spin in (None, 1, 3):
        oxygen = Atoms("O2", positions=[[0, 0, 0], [0, 0, 1.21]])
        if spin is not None:
            oxygen.info["spin"] = spin
        found[spin] = compute(prior, oxygen).energy
    assert found[None] == found[1]
    assert abs(found[3] - found[1]) > 0.05


def test_impossible_spin_and_charge_are_failures_with_their_reason(prior):
    radical = Atoms("OH", positions=[[0, 0, 0], [0, 0, 0.97]])
    radical.info["spin"] = 3
    assert "unpaired electrons" in compute(prior, radical).reason
    radical.info.update(spin=2, charge="plus")
    assert "plus" in compute(prior, radical).reason


def test_initial_charges_moments_and_constraints_change_nothing(prior):
    water = molecule("H2O")
    dressed = molecule("H2O")
    dressed.set_initial_charges([0.0, 0.0, -1.0])
    dressed.set_initial_magnetic_moments([2.0, 0.0, 0.0])
    dressed.set_constraint(FixAtoms([0, 1, 2]))
    bare, other = compute(prior, water), compute(prior, dressed)
    assert other.energy == bare.energy
    np.testing.assert_array_equal(other.forces, bare.forces)


def test_results_do_not_depend_on_what_was_computed_before(prior):
    frames = [molecule("C2H4") for _ in range(3)]
    for seed, atoms in enumerate(frames):
        atoms.rattle(0.05, seed=seed)
    used = prior.calculator()
    for atoms in frames:
        again, fresh = compute(prior, atoms, used), compute(prior, atoms)
        assert again.energy == fresh.energy
        np.testing.assert_array_equal(again.forces, fresh.forces)


def test_a_periodic_box_is_taken(prior):
    box = molecule("H2O", cell=[9.0, 9.0, 9.0], pbc=True)
    assert compute(prior, box).energy == pytest.approx(WATER, abs=0.1)


def test_cells_that_the_gamma_point_cannot_describe_are_refused(prior):
    outcome = compute(prior, bulk("C", "diamond", a=3.57, cubic=True))
    assert isinstance(outcome, Failure)
    assert "Γ point" in outcome.reason


def test_partly_periodic_structures_are_refused(prior):
    slab = molecule("H2O", cell=[9.0, 9.0, 20.0], pbc=[True, True, False])
    assert "all three directions" in compute(prior, slab).reason


def test_elements_beyond_radon_are_refused(prior):
    assert "Fr" in compute(prior, Atoms("Fr")).reason
