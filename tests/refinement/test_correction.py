"""The corrected model: its formula, its physics, its file, and what it does without labels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import ClassVar, Literal, final

import numpy as np
import pytest
import torch
from ase import Atoms
from ase.build import molecule
from ase.calculators.calculator import Calculator
from ase.calculators.emt import EMT
from ase.calculators.fd import calculate_numerical_forces, calculate_numerical_stress

from farfield.errors import CapabilityError
from farfield.potentials.mace import MacePotential
from farfield.priors import Failure, Prior, compute
from farfield.refinement import Correction, CorrectionRule, load_model
from farfield.refinement.correction.corrected import Corrected
from farfield.structures import attach, labels_of
from tests.potentials.conftest import ENERGIES, small_mace
from tests.refinement.conftest import PRIOR

RULE = CorrectionRule(
    PRIOR.name, PRIOR.name, scale=0.5, inside=0.2, far=0.9, evidence="given", trusted=None
)


@pytest.fixture
def exact() -> MacePotential:
    """Two heads in double precision."""
    model = small_mace().with_head(PRIOR.name, dict.fromkeys(ENERGIES, 0.0), 1.3)
    return MacePotential(model.module.to(torch.float64))


def test_the_formula(two_heads: MacePotential, test_set: list[Atoms]) -> None:
    predictions = Corrected(two_heads, RULE, PRIOR).predict(test_set)
    main, cheap = two_heads.predict(test_set), two_heads.predict(test_set, PRIOR.name)
    for atoms, found, own, other in zip(test_set, predictions, main, cheap, strict=True):
        labels = compute(PRIOR, atoms)
        assert not isinstance(labels, Failure)
        residual = other.forces - labels.known_forces
        beta = RULE.beta(float(np.sqrt(np.mean(residual**2))))
        assert 0.2 < beta < 0.9
        np.testing.assert_allclose(found.forces, own.forces - beta * residual, atol=1e-12)
        assert labels.energy is not None
        assert found.energy == pytest.approx(own.energy - beta * (other.energy - labels.energy))


def test_other_heads_are_as_they_were(two_heads: MacePotential, test_set: list[Atoms]) -> None:
    model = Corrected(two_heads, RULE, PRIOR)
    for first, second in zip(
        model.predict(test_set, PRIOR.name), two_heads.predict(test_set, PRIOR.name), strict=True
    ):
        np.testing.assert_array_equal(first.forces, second.forces)


def test_forces_are_the_gradient_of_the_energy(exact: MacePotential, test_set: list[Atoms]) -> None:
    atoms = test_set[0].copy()
    atoms.calc = Corrected(exact, RULE, PRIOR).calculator()
    forces = atoms.get_forces()
    numerical = calculate_numerical_forces(atoms, 1e-4, iatoms=[0, 1, 2])
    np.testing.assert_allclose(forces[:3], numerical, atol=2e-5)


def test_a_calculator_keeps_beta_along_a_trajectory(
    two_heads: MacePotential, test_set: list[Atoms]
) -> None:
    model = Corrected(two_heads, RULE, PRIOR)
    atoms = test_set[0].copy()
    atoms.calc = model.calculator()
    betas = []
    for step in range(3):
        atoms.rattle(0.1, seed=step)
        atoms.get_forces()
        betas.append(atoms.calc.results["farfield_beta"])
        assert atoms.calc.results["farfield_prior_residual"].shape == (len(atoms),)
    assert len(set(betas)) == 1
    other = molecule("CH3OH")
    other.calc = atoms.calc
    other.get_forces()
    assert other.calc.results["farfield_beta"] != betas[0]


def test_turning_and_relabelling(exact: MacePotential, test_set: list[Atoms]) -> None:
    model = Corrected(exact, RULE, PRIOR)
    atoms = test_set[0]
    turned = atoms.copy()
    turned.rotate(40, "x")
    turned.translate([1.0, 2.0, 3.0])
    order = np.random.default_rng(0).permutation(len(atoms))
    swapped = atoms[order]
    first, second, third = model.predict([atoms, turned, swapped])
    probe = Atoms(positions=first.forces)
    probe.rotate(40, "x")
    np.testing.assert_allclose(second.forces, probe.positions, atol=1e-9)
    np.testing.assert_allclose(third.forces, first.forces[order], atol=1e-9)
    assert second.energy == pytest.approx(first.energy, abs=1e-9)


def test_refining_and_the_file(
    two_heads: MacePotential, test_set: list[Atoms], tmp_path: Path
) -> None:
    refined = Correction(PRIOR, RULE).refine(two_heads, test_set)
    assert refined.record.acted
    assert 0.2 < refined.record.figures["β, mean"] < 0.9
    assert isinstance(refined.potential, Corrected)
    refined.potential.save(tmp_path / "model")
    again = load_model(str(tmp_path / "model"))
    for first, second in zip(
        refined.potential.predict(test_set), again.predict(test_set), strict=True
    ):
        np.testing.assert_array_equal(first.forces, second.forces)
        assert first.energy == second.energy


def test_reference_labels_of_test_structures_are_not_read(
    two_heads: MacePotential, train: list[Atoms], test_set: list[Atoms]
) -> None:
    found = []
    for poison in (False, True):
        structures = [atoms.copy() for atoms in test_set]
        for atoms in structures if poison else []:
            atoms.arrays["REF_forces"][:] = np.nan
            atoms.info["REF_energy"] = np.nan
        method = Correction(PRIOR, like_training=train, force=True)
        refined = method.refine(two_heads, structures)
        found.append((refined.record.figures, refined.potential.predict(structures)))
    assert found[0][0] == found[1][0]
    for first, second in zip(found[0][1], found[1][1], strict=True):
        np.testing.assert_array_equal(first.forces, second.forces)


def test_a_prior_without_a_counterpart_in_the_model_is_left_out(
    two_heads: MacePotential, test_set: list[Atoms]
) -> None:
    rule = replace(RULE, trusted=1.5)
    seen = Corrected(two_heads, rule, PRIOR).compare(test_set)
    values = sorted(one.unexplained for one in seen if not isinstance(one, Failure))
    between = replace(RULE, trusted=(values[3] + values[4]) / 2)
    refined = Correction(PRIOR, between).refine(two_heads, test_set)
    assert refined.record.acted
    assert "not trusted on 4 of 8 structures" in "; ".join(refined.record.reasons)
    plain = two_heads.predict(test_set)
    for one, own, found in zip(seen, plain, refined.potential.predict(test_set), strict=True):
        assert not isinstance(one, Failure)
        same = np.array_equal(own.forces, found.forces)
        assert same == (one.unexplained > values[3])

    none = Correction(PRIOR, replace(RULE, trusted=values[0] / 2)).refine(two_heads, test_set)
    assert none.potential is two_heads
    assert not none.record.acted
    forced = Correction(PRIOR, replace(RULE, trusted=values[0] / 2), force=True)
    record = forced.refine(two_heads, test_set).record
    assert record.acted
    assert any("forced" in reason for reason in record.reasons)


def test_where_beta_is_zero_the_model_is_left_alone(
    two_heads: MacePotential, test_set: list[Atoms]
) -> None:
    idle = CorrectionRule(PRIOR.name, PRIOR.name, 0.5, 0.0, 0.0, "no information")
    refined = Correction(PRIOR, idle).refine(two_heads, test_set)
    assert not refined.record.acted
    assert refined.potential is two_heads
    assert "no information" in refined.record.reasons[0]


def test_without_a_head_or_a_scale(two_heads: MacePotential, test_set: list[Atoms]) -> None:
    with pytest.raises(CapabilityError, match="retrofit"):
        Correction(PRIOR, RULE).refine(small_mace(), test_set)
    with pytest.raises(CapabilityError, match="--like-training"):
        Correction(PRIOR).refine(two_heads, test_set)


def test_the_scale_of_a_retrofitted_model_is_remembered(
    two_heads: MacePotential, test_set: list[Atoms]
) -> None:
    two_heads.metadata["residual_rms_eV_per_A"] = 0.25
    with pytest.raises(CapabilityError, match="--like-training"):
        Correction(PRIOR).refine(two_heads, test_set)
    two_heads.metadata["prior_rms_eV_per_A"] = 1.0
    record = Correction(PRIOR, force=True).refine(two_heads, test_set).record
    assert record.figures["prior residual in training, eV/Å"] == 0.25
    assert record.settings["far"] == 1.0 - 0.25**2


@final
class Choosy(Prior):
    """EMT that fails on one composition."""

    name = PRIOR.name
    level_of_theory = "EMT, choosy"
    elements = None
    periodic = True
    conservative = True
    cost: ClassVar[Literal["cheap", "moderate", "costly"]] = "cheap"

    def refusal(self, atoms: Atoms) -> str | None:
        return "not this one" if atoms.get_chemical_formula() == "CHN" else None

    def calculator(self) -> Calculator:
        return EMT()


def _mixed(test_set: Sequence[Atoms]) -> list[Atoms]:
    return [*test_set[:3], molecule("HCN")]


def test_a_structure_that_the_prior_cannot_do_is_left_to_the_main_head(
    two_heads: MacePotential, test_set: list[Atoms]
) -> None:
    structures = _mixed(test_set)
    refined = Correction(Choosy(), RULE).refine(two_heads, structures)
    assert any("1 of 4" in reason for reason in refined.record.reasons)
    corrected, plain = refined.potential.predict(structures), two_heads.predict(structures)
    np.testing.assert_array_equal(corrected[3].forces, plain[3].forces)
    assert not np.allclose(corrected[0].forces, plain[0].forces)
    structures[3].calc = refined.potential.calculator()
    with pytest.raises(CapabilityError, match="not this one"):
        structures[3].get_forces()


def test_stress_is_the_strain_derivative_of_the_energy(exact: MacePotential) -> None:
    box = molecule("CH3OH")
    box.set_cell([6.0, 7.0, 8.0])
    box.pbc = True
    box.rattle(0.1, seed=3)
    box.calc = Corrected(exact, RULE, PRIOR).calculator()
    stress = box.get_stress()
    assert np.abs(stress).max() > 1e-4
    np.testing.assert_allclose(stress, calculate_numerical_stress(box, 1e-5), atol=1e-7)
    plain = exact.predict([box])[0].stress
    assert plain is not None
    assert not np.allclose(stress, plain, atol=1e-4)


def test_labels_of_structures_are_kept_apart(
    two_heads: MacePotential, test_set: list[Atoms]
) -> None:
    """A prior's labels that a structure carries are not taken for granted."""
    planted = test_set[0].copy()
    known = labels_of(planted)
    assert known is not None
    attach(planted, known, PRIOR.label_name)
    model = Corrected(two_heads, RULE, PRIOR)
    first, second = model.predict([planted])[0], model.predict([test_set[0]])[0]
    np.testing.assert_array_equal(first.forces, second.forces)


def test_a_file_names_the_prior_as_it_was_given(
    two_heads: MacePotential, test_set: list[Atoms], tmp_path: Path
) -> None:
    spec = "ase.calculators.emt:EMT"
    refined = Correction(PRIOR, RULE, spec=spec).refine(two_heads, test_set)
    assert isinstance(refined.potential, Corrected)
    refined.potential.save(tmp_path / "model")
    again = load_model(str(tmp_path / "model"))
    assert isinstance(again, Corrected)
    assert again.rule.prior == spec
    np.testing.assert_allclose(
        again.predict(test_set[:1])[0].forces,
        refined.potential.predict(test_set[:1])[0].forces,
        atol=1e-10,
    )
