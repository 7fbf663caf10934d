from __future__ import annotations

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk, molecule
from ase.calculators.fd import calculate_numerical_stress
from ase.data import covalent_radii

from farfield.errors import ConfigError
from farfield.priors import MorsePrior, ZBLPrior, compute

COULOMB = 14.399645  # e²/(4 π ε₀), eV Å
BOHR = 0.529177  # Å
BOTH = pytest.mark.parametrize("prior", [ZBLPrior(), MorsePrior()], ids=lambda prior: prior.name)


def pair(symbols, distance):
    return Atoms(symbols, positions=[[0.0, 0.0, 0.0], [0.0, 0.0, distance]])


@pytest.mark.parametrize(("symbols", "distance"), [("CO", 0.7), ("SiSi", 1.5), ("AuH", 1.0)])
def test_zbl_is_the_published_formula(symbols, distance):
    one, other = (int(number) for number in pair(symbols, distance).numbers)
    x = distance * (one**0.23 + other**0.23) / (0.88534 * BOHR)
    screening = (
        0.18175 * np.exp(-3.1998 * x)
        + 0.50986 * np.exp(-0.94229 * x)
        + 0.28022 * np.exp(-0.4029 * x)
        + 0.02817 * np.exp(-0.20162 * x)
    )
    expected = COULOMB * one * other / distance * screening
    assert compute(ZBLPrior(), pair(symbols, distance)).energy == pytest.approx(expected, rel=1e-5)


def test_zbl_takes_every_element():
    for number in (1, 60, 118):
        assert compute(ZBLPrior(), Atoms([number, 6], [[0, 0, 0], [0, 0, 1.5]])).energy > 0.0


def test_a_morse_bond_rests_at_the_sum_of_covalent_radii():
    rest = covalent_radii[6] + covalent_radii[8]
    labels = compute(MorsePrior(), pair("CO", rest))
    assert labels.energy == pytest.approx(-4.0, abs=1e-12)
    assert np.abs(labels.forces).max() < 1e-12
    assert compute(MorsePrior(), pair("CO", rest - 0.1)).forces[1, 2] > 1.0
    assert compute(MorsePrior(), pair("CO", rest + 0.1)).forces[1, 2] < -1.0


@pytest.mark.parametrize(
    ("prior", "end"), [(ZBLPrior(), 5.0), (MorsePrior(), 1.7 * 2 * covalent_radii[79])]
)
def test_energy_and_force_end_smoothly_at_the_cutoff(prior, end):
    for distance in (end + 1e-6, end + 1.0):
        labels = compute(prior, pair("Au2", distance))
        assert labels.energy == 0.0 and not labels.forces.any()
    near = compute(prior, pair("Au2", end - 1e-3))
    assert 0.0 < abs(near.energy) < 1e-7
    assert np.abs(near.forces).max() < 1e-4
    inside = compute(prior, pair("Au2", 0.9 * end))
    assert np.abs(inside.forces).max() > 1e-3


@BOTH
def test_a_crystal_has_the_energy_of_its_supercell(prior):
    cell = bulk("Si", "diamond", a=5.43)
    cell.rattle(0.05, seed=0)
    big = cell.repeat((3, 2, 4))
    one, many = compute(prior, cell), compute(prior, big)
    assert abs(one.energy) > 0.1
    assert many.energy == pytest.approx(24 * one.energy, rel=1e-10)
    np.testing.assert_allclose(many.forces[:2], one.forces, atol=1e-9)


@BOTH
def test_the_stress_is_the_strain_derivative_of_the_energy(prior):
    atoms = bulk("NaCl", "rocksalt", a=5.2)
    atoms.rattle(0.1, seed=1)
    atoms.calc = prior.calculator()
    numeric = calculate_numerical_stress(atoms, eps=1e-5)
    assert np.abs(numeric).max() > 1e-3
    np.testing.assert_allclose(atoms.get_stress(), numeric, atol=1e-7)


@BOTH
def test_a_lone_atom_feels_nothing(prior):
    labels = compute(prior, Atoms("C"))
    assert labels.energy == 0.0 and not labels.forces.any()


def test_morse_knows_no_radius_beyond_curium():
    assert "Bk" in compute(MorsePrior(), Atoms("Bk")).reason


def test_parameters_stand_in_the_level_of_theory_and_must_be_positive():
    assert len({ZBLPrior(cutoff).level_of_theory for cutoff in (4.0, 5.0)}) == 2
    levels = {MorsePrior(*given).level_of_theory for given in ((4.0, 1.9), (3.0, 1.9), (4.0, 2.0))}
    assert len(levels) == 3
    for make in (lambda: ZBLPrior(0.0), lambda: MorsePrior(-1.0), lambda: MorsePrior(4.0, 0.0)):
        with pytest.raises(ConfigError, match="positive"):
            make()


def test_atoms_that_collide_are_pushed_apart():
    water = molecule("H2O")
    water.positions[1] = water.positions[0] + 0.4 * (water.positions[1] - water.positions[0])
    along = water.positions[1] - water.positions[0]
    assert compute(ZBLPrior(), water).forces[1] @ along > 10.0
