"""A Δ-model, and a correction that takes it as a second opinion."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from ase import Atoms
from ase.calculators.fd import calculate_numerical_forces

from farfield.errors import CapabilityError, ConfigError, ModelError
from farfield.potentials.mace import MacePotential
from farfield.priors import Failure, compute, load_prior
from farfield.refinement import Correction, CorrectionRule, Delta, load_model
from farfield.refinement.correction.corrected import Corrected
from farfield.structures import without_labels
from farfield.training.delta import DELTA_HEAD
from farfield.verbs.refine import refine
from tests.potentials.conftest import ENERGIES, small_mace
from tests.refinement.conftest import PRIOR

RULE = CorrectionRule(
    PRIOR.name, PRIOR.name, scale=0.5, inside=0.2, far=0.9, evidence="given", trusted=None
)


def double(model: MacePotential) -> MacePotential:
    return MacePotential(model.module.to(torch.float64))


@pytest.fixture
def exact() -> MacePotential:
    return double(small_mace().with_head(PRIOR.name, dict.fromkeys(ENERGIES, 0.0), 1.3))


@pytest.fixture
def delta() -> Delta:
    model = double(small_mace(seed=7))
    model.metadata["levels_of_theory"] = {model.heads[0]: f"DFT - {PRIOR.level_of_theory}"}
    return Delta(model, PRIOR)


def test_it_predicts_prior_and_difference(delta: Delta, test_set: list[Atoms]) -> None:
    bare = without_labels(test_set)
    for atoms, found, own in zip(bare, delta.predict(bare), delta.base.predict(bare), strict=True):
        labels = compute(PRIOR, atoms)
        assert not isinstance(labels, Failure)
        assert labels.energy is not None
        np.testing.assert_allclose(found.forces, own.forces + labels.known_forces, atol=1e-12)
        assert found.energy == pytest.approx(own.energy + labels.energy, abs=1e-9)


def test_the_corrected_prediction_is_the_mean_of_both(
    exact: MacePotential, delta: Delta, test_set: list[Atoms]
) -> None:
    bare = without_labels(test_set)
    rule = CorrectionRule(PRIOR.name, PRIOR.name, 0.5, 1.0, 1.0, "given", trusted=None)
    alone = Corrected(exact, rule, PRIOR).predict(bare)
    both = Corrected(exact, rule, PRIOR, delta=delta).predict(bare)
    for found, first, second in zip(both, alone, delta.predict(bare), strict=True):
        np.testing.assert_allclose(found.forces, (first.forces + second.forces) / 2, atol=1e-12)
        assert found.energy == pytest.approx((first.energy + second.energy) / 2, abs=1e-9)
        assert np.abs(first.forces - second.forces).max() > 0.01  # eV/Å: two opinions


def test_beta_is_the_share_of_the_way(
    exact: MacePotential, delta: Delta, test_set: list[Atoms]
) -> None:
    bare = without_labels(test_set)[:2]
    rules = [CorrectionRule(PRIOR.name, PRIOR.name, 0.5, b, b, "given", None) for b in (0.4, 1.0)]
    part, whole = (Corrected(exact, rule, PRIOR, delta=delta).predict(bare) for rule in rules)
    for main, some, full in zip(exact.predict(bare), part, whole, strict=True):
        np.testing.assert_allclose(some.forces, 0.6 * main.forces + 0.4 * full.forces, atol=1e-12)


@pytest.mark.parametrize("corrected", [False, True])
def test_forces_are_the_gradient_of_the_energy(
    corrected: bool, exact: MacePotential, delta: Delta, test_set: list[Atoms]
) -> None:
    model = Corrected(exact, RULE, PRIOR, delta=delta) if corrected else delta
    atoms = test_set[0].copy()
    atoms.calc = model.calculator()
    numerical = calculate_numerical_forces(atoms, 1e-4, iatoms=[0, 1, 2])
    np.testing.assert_allclose(atoms.get_forces()[:3], numerical, atol=2e-5)
    batch = model.predict([atoms])[0]
    np.testing.assert_allclose(atoms.get_forces(), batch.forces, atol=1e-9)


def test_the_file_comes_back_with_its_second_model(
    exact: MacePotential, delta: Delta, test_set: list[Atoms], tmp_path: Path
) -> None:
    exact.metadata["levels_of_theory"] = {exact.heads[0]: "DFT"}
    refined = Correction(PRIOR, RULE, delta=delta).refine(exact, without_labels(test_set))
    assert refined.record.acted
    assert any("second opinion" in reason for reason in refined.record.reasons)
    assert isinstance(refined.potential, Corrected)
    path = tmp_path / "model"
    refined.potential.save(path)
    before, after = refined.potential.predict(test_set), load_model(str(path)).predict(test_set)
    for first, second in zip(before, after, strict=True):
        np.testing.assert_array_equal(first.forces, second.forces)
    (tmp_path / "model.delta").unlink()
    with pytest.raises(ModelError, match=r"model\.delta is missing"):
        load_model(str(path))


def test_another_prior_or_reference_is_refused(
    exact: MacePotential, delta: Delta, few: list[Atoms]
) -> None:
    other = Delta(delta.model, load_prior("lj"))
    with pytest.raises(CapabilityError, match="the Δ-model is for Lennard-Jones"):
        Correction(PRIOR, RULE, delta=other).refine(exact, few)
    exact.metadata["levels_of_theory"] = {exact.heads[0]: "another DFT"}
    with pytest.raises(CapabilityError, match="learned from another DFT"):
        Correction(PRIOR, RULE, delta=delta).refine(exact, few)


def test_a_plain_model_is_no_delta_model(exact: MacePotential, few: list[Atoms]) -> None:
    with pytest.raises(ConfigError, match=r"is no Δ-model: train one"):
        refine(few, model=exact, method="correction", prior=PRIOR, delta=exact)


def test_its_head_has_a_name_of_its_own() -> None:
    assert DELTA_HEAD not in (PRIOR.name, small_mace().heads[0])
