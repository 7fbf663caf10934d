from __future__ import annotations

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk, molecule

from farfield.errors import ConfigError
from farfield.priors import (
    EMTPrior,
    LennardJonesPrior,
    MorsePrior,
    SumPrior,
    ZBLPrior,
    compute,
    label,
    load_prior,
    noisy,
)
from farfield.testing import check_prior


def rattled():
    atoms = bulk("Cu", cubic=True)
    atoms.rattle(0.05, seed=0)
    return atoms


def test_it_keeps_the_contract():
    check_prior(load_prior("morse+zbl"))


def test_energies_forces_and_stresses_are_added():
    parts = [EMTPrior(), ZBLPrior(), MorsePrior()]
    atoms = rattled()
    labels = [compute(part, atoms) for part in parts]
    found = compute(SumPrior(*parts), atoms)
    assert found.energy == pytest.approx(sum(each.energy for each in labels), abs=1e-9)
    np.testing.assert_allclose(found.forces, sum(each.forces for each in labels), atol=1e-9)
    total = np.zeros(6)
    for part in parts:
        atoms.calc = part.calculator()
        total += atoms.get_stress()
    atoms.calc = SumPrior(*parts).calculator()
    np.testing.assert_allclose(atoms.get_stress(), total, atol=1e-9)


def test_what_it_declares_is_what_all_of_them_can_do():
    total = load_prior("emt+morse+noise-0.1")
    assert total.name == "emt_morse_noise_0_1"
    assert total.elements == EMTPrior.elements
    assert total.periodic and not total.conservative
    levels = total.level_of_theory.split(" + ")
    assert levels == [term.level_of_theory for term in total.terms]
    assert len(levels) == 3


def test_a_sum_of_sums_is_flat():
    nested = SumPrior(SumPrior(EMTPrior(), ZBLPrior()), MorsePrior())
    assert nested.level_of_theory == load_prior("emt+zbl+morse").level_of_theory
    assert len(nested.terms) == 3


def test_the_refusal_is_of_the_one_that_refuses():
    assert compute(load_prior("zbl+emt"), Atoms("Fe")).reason.startswith("emt has no parameters")


def test_a_failure_names_the_one_that_failed(named, chain):
    long = chain(22)[-1]  # a bond of 2.05 Å
    total = SumPrior(LennardJonesPrior(), load_prior(named("Failing")))
    assert compute(total, long).reason == "CalculationFailed: failing: RuntimeError: too long"


def test_the_same_prior_twice_is_refused():
    with pytest.raises(ConfigError, match="'zbl' stands twice"):
        load_prior("zbl+morse+zbl")


def test_a_path_with_a_plus_is_no_sum(tmp_path):
    folder = tmp_path / "c++"
    folder.mkdir()
    file = folder / "a+b.py"
    file.write_text("from ase.calculators.emt import EMT\n")
    assert load_prior(f"{file}:EMT").name == "emt"
    assert load_prior(f"{file}:EMT+zbl+noise-1.5e-2").name == "emt_zbl_noise_0_015"
    assert load_prior(f"model:{file}:EMT").name == "emt"
    assert load_prior(f"morse+model:{file}:EMT+zbl").name == "morse_emt_zbl"


def test_an_unknown_part_is_named():
    with pytest.raises(ConfigError, match=r"'zbr'; did you mean 'zbl'\?"):
        load_prior("emt+zbr")


def test_it_labels_in_several_processes(chain):
    for package in ("xtb", "rdkit"):
        pytest.importorskip(package, reason="this sum needs xtb and rdkit")
    prior = load_prior("gfnff+uff+morse+zbl+noise-0.1+model:emt")
    structures = [molecule(name) for name in ("H2O", "CH4", "NH3", "C2H4")]
    one, two = (label(structures, prior, workers=workers) for workers in (1, 2))
    for alone, together in zip(one, two, strict=True):
        assert alone.energy == together.energy
        np.testing.assert_array_equal(alone.forces, together.forces)


def test_noise_is_on_the_forces_alone():
    atoms = rattled()
    clean, dirty = compute(EMTPrior(), atoms), compute(noisy(EMTPrior(), 0.2), atoms)
    assert dirty.energy == clean.energy
    assert 0.1 < np.sqrt(np.mean((dirty.forces - clean.forces) ** 2)) < 0.3
    assert noisy(EMTPrior(), 0.2).level_of_theory == load_prior("emt+noise-0.2").level_of_theory
