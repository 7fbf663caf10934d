from __future__ import annotations

import sys

import numpy as np
import pytest
from ase import Atoms
from ase.build import molecule

from farfield.errors import ConfigError, DependencyError
from farfield.priors import D3Prior, D4Prior, compute, load_prior
from farfield.testing import check_prior
from farfield.testing.priors import default_structures

BOTH = pytest.mark.parametrize("kind", [D3Prior, D4Prior])


@pytest.fixture
def installed():
    for package in ("dftd3", "dftd4"):
        pytest.importorskip(package, reason="the dispersion priors need dftd3 and dftd4")


@BOTH
def test_a_missing_package_gives_its_install_command(kind, monkeypatch):
    monkeypatch.setitem(sys.modules, f"{kind.package}.interface", None)
    with pytest.raises(DependencyError, match=r"pip install 'farfield\[dispersion\]'"):
        kind("pbe").calculator()


@BOTH
def test_it_keeps_the_contract(kind, installed):
    check_prior(kind("pbe"), default_structures()[:6])  # D4 is slow on a dense crystal


@BOTH
def test_energies_forces_and_stress_are_those_of_the_package(kind, installed):
    from dftd3.ase import DFTD3
    from dftd4.ase import DFTD4

    theirs = DFTD3(method="pbe", damping="d3bj") if kind is D3Prior else DFTD4(method="pbe")
    turned = molecule("C6H6", cell=[9.0, 9.0, 7.0], pbc=True)
    turned.rotate(30.0, (1.0, 2.0, 3.0))  # so that no component of the stress is zero
    for atoms in (molecule("C6H6"), turned):
        atoms.calc = theirs
        energy, forces = atoms.get_potential_energy(), atoms.get_forces()
        labels = compute(kind("PBE"), atoms)
        assert labels.energy == pytest.approx(energy, abs=1e-10)
        assert labels.energy < -0.1
        np.testing.assert_allclose(labels.forces, forces, atol=1e-10)
    stress = atoms.get_stress()
    assert np.ptp(stress) > 1e-4 and np.abs(stress).min() > 1e-6
    atoms.calc = kind("pbe").calculator()
    np.testing.assert_allclose(atoms.get_stress(), stress, atol=1e-12)


def test_the_charge_matters_to_d4(installed):
    cation = molecule("C6H6")
    neutral = compute(D4Prior("pbe"), cation).energy
    cation.info["charge"] = 1
    assert compute(D4Prior("pbe"), cation).energy > neutral + 0.001


def test_the_functional_matters_and_stands_in_name_and_level(installed):
    benzene = molecule("C6H6")
    pbe, b3lyp = load_prior("d4-pbe"), load_prior("d4-b3-lyp")
    assert (pbe.name, b3lyp.name) == ("d4_pbe", "d4_b3_lyp")
    assert pbe.level_of_theory != b3lyp.level_of_theory
    assert abs(compute(pbe, benzene).energy - compute(b3lyp, benzene).energy) > 0.01


@BOTH
def test_an_unknown_functional_is_named(kind, installed):
    with pytest.raises(ConfigError, match=r"no parameters for the functional 'pbx'"):
        kind("pbx").calculator()


@pytest.mark.parametrize("spec", ["d4", "d3-", "lj+d4"])
def test_the_functional_must_be_given(spec):
    with pytest.raises(ConfigError, match=r"needs a parameter, d[34]-FUNCTIONAL"):
        load_prior(spec)


def test_a_functional_is_a_word():
    with pytest.raises(ConfigError, match="it must be a name"):
        D4Prior("p b e")


@pytest.mark.parametrize("base", ["gfn2", "gfn1", "gfnff", "uff", "mmff94", "d3-pbe"])
def test_dispersion_is_not_counted_twice(base):
    with pytest.raises(ConfigError, match="both contain dispersion"):
        load_prior(f"{base}+d4-pbe")


def test_elements_without_parameters_are_refused(installed):
    assert "Rf" in compute(D4Prior("pbe"), Atoms("Rf")).reason
