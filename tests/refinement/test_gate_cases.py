"""Priors that are not to be learned from: the model stays as it was, and the record says why."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from ase import Atoms

from farfield.errors import LabelError
from farfield.potentials.mace import MacePotential
from farfield.refinement import (
    Correction,
    CorrectionRule,
    Distillation,
    RadiusRefinement,
    Refined,
    TestTimeSettings,
    TestTimeTraining,
)
from farfield.refinement.checked import SCALE, doubted
from farfield.refinement.trust import believed, unseen_electrons
from farfield.structures import Labels, attach, without_labels
from farfield.training import Sample

from .conftest import rattled
from .learned_prior import LearnedPrior, model, moved

SETTINGS = TestTimeSettings(
    steps=10, judge_every=5, batch_size=4, learning_rate=0.01, ema_decay=0.5
)
TRAIN = [*rattled("CH3OH", 6), *rattled("HCN", 4, seed=50)]
NOISE = np.random.default_rng(0)


def zero(atoms: Atoms, forces: np.ndarray) -> np.ndarray:
    return np.zeros_like(forces)


def noise(atoms: Atoms, forces: np.ndarray) -> np.ndarray:
    return NOISE.normal(scale=np.abs(forces).mean(), size=forces.shape)


def other_charge(atoms: Atoms, forces: np.ndarray) -> np.ndarray:
    """Much alike, but off by a third."""
    return 1.3 * forces


def refined(
    two_heads: MacePotential, prior: LearnedPrior, test: list[Atoms], **changes: object
) -> Refined:
    settings = replace(SETTINGS, **changes)  # type: ignore[arg-type]
    training = TestTimeTraining(prior, settings=settings, checked_on=without_labels(TRAIN))
    return training.refine(two_heads, test)


@pytest.fixture
def two_heads() -> MacePotential:
    return model()


@pytest.fixture
def test_set() -> list[Atoms]:
    return rattled("CH3CONH2", 6, seed=100)


def test_the_right_prior_is_learned_from(two_heads: MacePotential, test_set: list[Atoms]) -> None:
    assert doubted(two_heads, LearnedPrior(), TRAIN, (), alike=False) is None
    assert refined(two_heads, LearnedPrior(), test_set).record.acted


@pytest.mark.parametrize("change", [zero, noise])
def test_a_prior_without_information(
    two_heads: MacePotential, test_set: list[Atoms], change
) -> None:
    found = refined(two_heads, LearnedPrior(change), test_set)
    assert found.potential is two_heads and not found.record.acted
    assert "carries nothing that the head has learned" in found.record.reasons[0]
    assert refined(two_heads, LearnedPrior(change), test_set, force=True).record.acted


def test_a_prior_that_is_not_the_one_of_training(
    two_heads: MacePotential, test_set: list[Atoms]
) -> None:
    right, other = LearnedPrior(), LearnedPrior(other_charge)
    assert (
        doubted(two_heads, other, TRAIN, (), alike=False) is None
    )  # the model does not tell how it was
    own = two_heads.predict(TRAIN)
    known_well = without_labels(TRAIN)
    for atoms, found in zip(known_well, own, strict=True):
        attach(atoms, Labels(found.energy, found.forces + 1e-3))
    for known in ({SCALE: 0.05}, {"history": [{"force_rmse": 9.0}, {"force_rmse": 0.05}]}):
        told = two_heads.clone()
        told.metadata.update(known)
        errors = [
            ours.forces - theirs.forces
            for ours, theirs in zip(
                told.predict(TRAIN, "learned"), right._model.predict(TRAIN, "learned"), strict=True
            )
        ]
        scale = float(np.sqrt(np.mean(np.concatenate(errors) ** 2)))
        if SCALE in known:
            told.metadata[SCALE] = scale
        else:
            told.metadata["history"][-1]["force_rmse"] = scale
        assert doubted(told, right, TRAIN, (), alike=False) is None
        assert (
            doubted(told, other, TRAIN, (), alike=False) is None
        )  # the main head is as wrong on these
        training = TestTimeTraining(other, settings=SETTINGS, checked_on=known_well)
        found = training.refine(told, test_set)
        assert found.potential is told and not found.record.acted
        assert "this is not the prior that it has learned" in found.record.reasons[0]
        assert refined(told, right, test_set).record.acted


def test_another_level_of_theory_is_an_error(
    two_heads: MacePotential, test_set: list[Atoms]
) -> None:
    other = LearnedPrior(level="another")
    words = "has learned 'a moved model', and the prior that was given is 'another'"
    with pytest.raises(LabelError, match=words):
        TestTimeTraining(other).refine(two_heads, test_set)
    with pytest.raises(LabelError, match=words):
        Correction(other, like_training=TRAIN).refine(two_heads, test_set)


@pytest.mark.parametrize("key", ["charge", "spin"])
def test_charges_and_spins_that_training_lacks(
    two_heads: MacePotential, test_set: list[Atoms], key: str
) -> None:
    test_set[1].info[key] = 3
    found = refined(two_heads, LearnedPrior(), test_set)
    assert found.potential is two_heads and not found.record.acted
    assert "1 of 6 structures have a charge or spin that no training" in found.record.reasons[0]
    assert refined(two_heads, LearnedPrior(), test_set, force=True).record.acted
    distilled = Distillation(Correction(LearnedPrior()), replay=TRAIN).refine(two_heads, test_set)
    assert distilled.potential is two_heads
    assert distilled.record.reasons == found.record.reasons


def test_which_charges_and_spins_are_alike() -> None:
    neutral, cation = Atoms("H2O"), Atoms("H2O", info={"charge": 1})
    assert unseen_electrons([neutral], []) is None  # nothing is known of training
    assert unseen_electrons([Atoms("H2O", info={"charge": 0, "spin": 1})], [neutral]) is None
    assert unseen_electrons([Atoms("CH3"), Atoms("CH3", info={"spin": 1})], [neutral]) is None
    assert unseen_electrons([cation], [neutral, Atoms("CH4", info={"charge": 1.0})]) is None
    assert "charge +1)" in str(unseen_electrons([neutral, cation], [neutral]))
    told = str(unseen_electrons([Atoms("O2", info={"spin": 3})], [neutral]))
    assert "charge +0 and 2 unpaired electrons more than need be" in told


def test_structures_on_which_the_prior_has_nothing_in_common_with_the_model(
    two_heads: MacePotential, test_set: list[Atoms]
) -> None:
    def sideways(atoms: Atoms, forces: np.ndarray) -> np.ndarray:
        """Where the second atom is far to one side, large forces at right angles to all others."""
        if len(atoms) < 9 or atoms.positions[1, 0] < edge:
            return forces
        other = np.random.default_rng(1).normal(size=forces.shape)
        return 5.0 * np.linalg.norm(forces) * other / np.linalg.norm(other)

    places = sorted(atoms.positions[1, 0] for atoms in test_set)
    prior = LearnedPrior(sideways)
    edge = places[4]  # two structures
    found = refined(two_heads, prior, test_set)
    assert "the prior is not trusted on 2 of 6 structures" in found.record.reasons[0]
    assert found.record.figures["structures adapted on"] == 3  # of four, one is held out
    edge = places[2]  # four
    found = refined(two_heads, prior, test_set)
    assert found.potential is two_heads and not found.record.acted
    assert "that is most of them, so it is not learned from at all" in found.record.reasons[0]


@pytest.mark.parametrize(("share", "apart"), [(1.0, False), (0.0, True), (-1.0, True)])
def test_heads_that_do_not_err_alike_on_training_structures(
    two_heads: MacePotential, test_set: list[Atoms], share: float, apart: bool
) -> None:
    """The reference is such that the main head errs by a share of the other head's error."""
    prior, rng = LearnedPrior(), np.random.default_rng(0)
    known = without_labels(TRAIN)
    own, other = two_heads.predict(known), two_heads.predict(known, prior.name)
    truth = moved().predict(known, prior.name)
    for atoms, main, cheap, right in zip(known, own, other, truth, strict=True):
        error = cheap.forces - right.forces
        own_error = share * error + 0.1 * rng.normal(scale=error.std(), size=error.shape)
        attach(atoms, Labels(main.energy, main.forces - own_error))
    told = doubted(two_heads, prior, known, ())
    assert (told is not None) is apart
    assert doubted(two_heads, prior, without_labels(known), ()) is None  # nothing is known
    training = TestTimeTraining(prior, settings=SETTINGS, checked_on=known)
    methods = [
        training,
        Correction(prior, like_training=known, checked_on=known),
        RadiusRefinement(prior=prior, checked_on=known),
    ]
    for method in methods:
        record = method.refine(two_heads, test_set).record
        assert ("errors of the two heads" in record.reasons[0]) is apart
        assert not (apart and record.acted)
    learned = CorrectionRule(prior.name, prior.name, 1.0, 1.0, 1.0, "left-out groups say so")
    by_rule = Correction(prior, learned, checked_on=known).refine(two_heads, test_set)
    assert by_rule.record.acted
    forced = replace(training, settings=replace(SETTINGS, force=True))
    assert forced.refine(two_heads, test_set).record.acted


def test_a_radius_is_not_chosen_by_a_prior_that_has_nothing_in_common_with_the_model(
    two_heads: MacePotential, test_set: list[Atoms]
) -> None:
    def sideways(atoms: Atoms, forces: np.ndarray) -> np.ndarray:
        other = np.random.default_rng(1).normal(size=forces.shape)
        return 5.0 * np.linalg.norm(forces) * other / np.linalg.norm(other)

    found = RadiusRefinement(prior=LearnedPrior(sideways)).refine(two_heads, test_set)
    assert found.potential is two_heads and not found.record.acted
    assert "on 6 of 6 structures the prior failed or is not trusted" in found.record.reasons[1]
    asked_for = RadiusRefinement(prior=LearnedPrior(sideways), criterion="prior", margin=0.0)
    reasons = asked_for.refine(two_heads, test_set).record.reasons
    assert not any("not trusted" in why for why in reasons)


def test_forces_that_the_model_shares_are_believed(two_heads: MacePotential) -> None:
    atoms = TRAIN[:2]
    own = [found.forces for found in two_heads.predict(atoms)]
    samples = [
        Sample(one, "learned", Labels(0.0, 7.0 * forces))
        for one, forces in zip(atoms, own, strict=True)
    ]
    kept, told = believed(two_heads, LearnedPrior(), samples)
    assert len(kept) == 2 and told is None


def test_a_teacher_that_is_not_trusted_teaches_nothing(
    two_heads: MacePotential, test_set: list[Atoms]
) -> None:
    teacher = Correction(LearnedPrior(zero), like_training=TRAIN, checked_on=TRAIN)
    corrected = teacher.refine(two_heads, test_set)
    assert corrected.potential is two_heads
    assert "carries nothing" in corrected.record.reasons[0]
    distilled = Distillation(teacher, replay=TRAIN).refine(two_heads, test_set)
    assert distilled.potential is two_heads and not distilled.record.acted
    assert "carries nothing" in distilled.record.reasons[1]
