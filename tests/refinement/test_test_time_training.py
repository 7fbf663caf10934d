"""Test-time training moves the representation alone, repeats itself, and knows when not to act."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from ase import Atoms
from ase.build import molecule
from ase.calculators.emt import EMT

from farfield.errors import CapabilityError
from farfield.potentials import BlackBoxPotential
from farfield.potentials.mace import MacePotential
from farfield.priors import LennardJonesPrior
from farfield.refinement import TestTimeSettings, TestTimeTraining
from farfield.shifts import Profile

from .conftest import PRIOR, rattled

SETTINGS = TestTimeSettings(
    steps=30, judge_every=10, batch_size=4, learning_rate=0.05, ema_decay=0.5
)


def test_the_prior_error_on_held_out_structures_falls(
    two_heads: MacePotential, test_set: list[Atoms]
) -> None:
    record = TestTimeTraining(PRIOR, settings=SETTINGS).refine(two_heads, test_set).record
    assert record.acted
    before = record.figures["prior head, force MAE held out, before, eV/Å"]
    assert record.figures["prior head, force MAE held out, after, eV/Å"] < 0.9 * before
    assert record.curves[0].steps == [0, 10, 20, 30]


def test_heads_and_the_given_model_stay_as_they_were(
    two_heads: MacePotential, test_set: list[Atoms]
) -> None:
    before = two_heads.state()
    refined = TestTimeTraining(PRIOR, settings=SETTINGS).refine(two_heads, test_set).potential
    assert isinstance(refined, MacePotential)
    after = two_heads.state()
    assert all(torch.equal(before[key], after[key]) for key in before)
    for name, value in refined.head_parameters().items():
        assert torch.equal(value, two_heads.head_parameters()[name]), name
    moved = refined.representation_parameters()
    assert any(
        not torch.equal(value, moved[name])
        for name, value in two_heads.representation_parameters().items()
    )


def test_the_seed_decides(two_heads: MacePotential, test_set: list[Atoms]) -> None:
    def weights(seed: int) -> list[torch.Tensor]:
        settings = replace(SETTINGS, seed=seed, force=True)
        refined = TestTimeTraining(PRIOR, settings=settings).refine(two_heads, test_set)
        assert isinstance(refined.potential, MacePotential)
        return list(refined.potential.state().values())

    first, again, other = weights(1), weights(1), weights(2)
    assert all(torch.equal(a, b) for a, b in zip(first, again, strict=True))
    assert not all(torch.equal(a, b) for a, b in zip(first, other, strict=True))


def test_it_leaves_structures_of_the_training_domain_alone(
    two_heads: MacePotential, profile: Profile
) -> None:
    inside = rattled("CH3OH", 6, seed=500)
    training = TestTimeTraining(PRIOR, profile=profile, settings=SETTINGS)
    refined = training.refine(two_heads, inside)
    assert refined.potential is two_heads
    assert not refined.record.acted
    assert "nothing to mend" in refined.record.reasons[0]
    forced = TestTimeTraining(PRIOR, profile=profile, settings=replace(SETTINGS, force=True))
    assert forced.refine(two_heads, inside).record.acted


def test_it_abstains_when_no_step_helps(two_heads: MacePotential, test_set: list[Atoms]) -> None:
    settings = replace(SETTINGS, learning_rate=10.0)
    refined = TestTimeTraining(PRIOR, settings=settings).refine(two_heads, test_set)
    assert refined.potential is two_heads
    assert "no step lowered" in refined.record.reasons[0]
    assert "the lowest prior error was" in refined.record.reasons[1]


def test_it_keeps_no_step_that_forgets(
    two_heads: MacePotential, train: list[Atoms], test_set: list[Atoms]
) -> None:
    settings = replace(SETTINGS, forgetting=-100.0, replay_weight=0.0)
    training = TestTimeTraining(PRIOR, replay=train, settings=settings)
    refined = training.refine(two_heads, test_set)
    assert not refined.record.acted
    assert refined.record.figures["best step"] == 0


def test_failures_of_the_prior_are_told_and_left_out(
    two_heads: MacePotential, test_set: list[Atoms]
) -> None:
    small = molecule("HCN")

    class Picky(type(PRIOR)):  # type: ignore[misc]
        def refusal(self, atoms: Atoms) -> str | None:
            return "too small" if len(atoms) < 5 else None

    refined = TestTimeTraining(Picky(), settings=SETTINGS).refine(two_heads, [*test_set, small])
    assert "failed on 1 of 9 structures (too small)" in refined.record.reasons[0]
    alone = TestTimeTraining(Picky(), settings=SETTINGS).refine(two_heads, [small])
    assert alone.potential is two_heads and not alone.record.acted


def test_what_cannot_be_adapted_is_refused(two_heads: MacePotential, test_set: list[Atoms]) -> None:
    with pytest.raises(CapabilityError, match="--strategy joint"):
        TestTimeTraining(LennardJonesPrior()).refine(two_heads, test_set)
    with pytest.raises(CapabilityError, match="adapter"):
        TestTimeTraining(PRIOR).refine(BlackBoxPotential(EMT()), test_set)


def test_one_structure_is_enough(two_heads: MacePotential, test_set: list[Atoms]) -> None:
    record = TestTimeTraining(PRIOR, settings=SETTINGS).refine(two_heads, test_set[:1]).record
    assert record.figures["structures adapted on"] == 1
