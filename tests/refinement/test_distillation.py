"""Distillation: a plain model learns from a teacher, without labels, or stays as it was."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from ase import Atoms
from ase.calculators.emt import EMT

from farfield.errors import CapabilityError, ConfigError, LabelError, StructureError
from farfield.potentials import BlackBoxPotential, Potential
from farfield.potentials.mace import MacePotential
from farfield.refinement import (
    Distillation,
    DistillationSettings,
    Record,
    Refined,
    Refinement,
    load_model,
)
from farfield.structures import without_labels

from .conftest import rattled
from .test_no_leak import poisoned

SETTINGS = DistillationSettings(
    steps=30,
    judge_every=10,
    batch_size=4,
    replay_batch_size=4,
    learning_rate=0.05,
    ema_decay=0.5,
    structures="given",
)


class Teacher(Refinement):
    """Makes EMT of any model, so that what is learned is known."""

    name = "emt-teacher"

    def __init__(self, acts: bool = True, potential: Potential | None = None) -> None:
        self.acts = acts
        self.potential = potential or BlackBoxPotential(EMT(), 4.0)

    def _refine(self, potential: Potential, structures: list[Atoms]) -> Refined:
        record = Record(self.name, self.acts, ["as it was told"], settings={"β": 1.0})
        return Refined(self.potential if self.acts else potential, record)


def distance(student: Potential, structures: Sequence[Atoms]) -> float:
    bare = without_labels(structures)
    teacher = BlackBoxPotential(EMT(), 4.0).predict(bare)
    pairs = zip(student.predict(bare), teacher, strict=True)
    return float(np.mean([np.abs(own.forces - told.forces).mean() for own, told in pairs]))


def weights(refined: Refined) -> list[bytes]:
    assert isinstance(refined.potential, MacePotential)
    return [value.numpy().tobytes() for value in refined.potential.state().values()]


def test_the_main_head_learns_what_the_teacher_says(
    two_heads: MacePotential, test_set: list[Atoms]
) -> None:
    refined = Distillation(Teacher(), settings=SETTINGS).refine(two_heads, test_set)
    unseen = rattled("CH3CONH2", 6, seed=700)
    assert distance(refined.potential, unseen) < 0.9 * distance(two_heads, unseen)
    figures = refined.record.figures
    before = figures["main head against its teacher, force MAE held out, before, eV/Å"]
    after = figures["main head against its teacher, force MAE held out, after, eV/Å"]
    assert refined.record.acted and after < 0.9 * before
    assert figures["structures adapted on"] == 6
    assert figures["evaluations of the teacher"] == 8
    assert refined.record.curves[0].steps == [0, 10, 20, 30]
    assert "teacher: as it was told" in refined.record.reasons
    assert refined.record.settings["teacher's β"] == 1.0


def test_a_plain_model_results(
    two_heads: MacePotential, test_set: list[Atoms], tmp_path: Path
) -> None:
    before = two_heads.state()
    refined = Distillation(Teacher(), settings=SETTINGS).refine(two_heads, test_set).potential
    assert isinstance(refined, MacePotential) and refined.heads == two_heads.heads
    assert all(torch.equal(value, before[key]) for key, value in two_heads.state().items())
    for name, value in refined.head_parameters().items():
        assert torch.equal(value, two_heads.head_parameters()[name]), name
    refined.export(tmp_path / "native.model")
    native = load_model(str(tmp_path / "native.model"))
    for own, exported in zip(refined.predict(test_set), native.predict(test_set), strict=True):
        np.testing.assert_allclose(own.forces, exported.forces, atol=1e-9)


def test_the_seed_decides_and_labels_do_not(
    two_heads: MacePotential, train: list[Atoms], test_set: list[Atoms]
) -> None:
    settings = replace(SETTINGS, steps=4, judge_every=2, force=True, structures="rattled")

    def run(structures: list[Atoms], like_training: list[Atoms], seed: int = 0) -> list[bytes]:
        method = Distillation(
            Teacher(), like_training=like_training, settings=replace(settings, seed=seed)
        )
        return weights(method.refine(two_heads, structures))

    first = run(test_set, train)
    assert first == run(poisoned(test_set), poisoned(train))
    assert first != run(test_set, train, seed=1)
    assert first != run(test_set, [])


def test_replay_learns_the_labels_of_training_structures(
    two_heads: MacePotential, train: list[Atoms], test_set: list[Atoms]
) -> None:
    settings = replace(SETTINGS, steps=4, judge_every=2, force=True)

    def run(replay: list[Atoms]) -> list[bytes]:
        method = Distillation(Teacher(), replay=replay, settings=settings)
        return weights(method.refine(two_heads, test_set))

    other = [atoms.copy() for atoms in train]
    for atoms in other:
        atoms.arrays["REF_forces"] += 1.0
    assert run(train) != run(other)
    with pytest.raises(LabelError, match="replay"):
        run(without_labels(train))


def test_own_predictions_hold_the_model_where_it_was(
    two_heads: MacePotential, train: list[Atoms], test_set: list[Atoms]
) -> None:
    settings = replace(SETTINGS, replay_weight=10.0, force=True)
    bare = without_labels(train)
    before = two_heads.predict(bare)

    def drift(like_training: list[Atoms]) -> float:
        method = Distillation(Teacher(), like_training=like_training, settings=settings)
        after = method.refine(two_heads, test_set).potential.predict(bare)
        pairs = zip(before, after, strict=True)
        return float(np.mean([np.abs(a.forces - b.forces).mean() for a, b in pairs]))

    assert drift(train) < 0.5 * drift([])


def test_structures_to_refine_for_are_refused_elsewhere(
    two_heads: MacePotential, train: list[Atoms], test_set: list[Atoms]
) -> None:
    with pytest.raises(LabelError, match="would leak"):
        Distillation(Teacher(), replay=[*train, test_set[2]]).refine(two_heads, test_set)
    with pytest.raises(StructureError, match="leave it out of one"):
        Distillation(Teacher(), like_training=[test_set[2]]).refine(two_heads, test_set)


def test_it_abstains_with_its_teacher(two_heads: MacePotential, test_set: list[Atoms]) -> None:
    forced = replace(SETTINGS, force=True)
    refined = Distillation(Teacher(acts=False), settings=forced).refine(two_heads, test_set)
    assert refined.potential is two_heads and not refined.record.acted
    assert "nothing to distil" in refined.record.reasons[0]


def test_what_the_model_says_already_is_not_distilled(
    two_heads: MacePotential, test_set: list[Atoms]
) -> None:
    forced = replace(SETTINGS, force=True)
    same = Teacher(potential=two_heads.clone())
    refined = Distillation(same, settings=forced).refine(two_heads, test_set)
    assert refined.potential is two_heads and not refined.record.acted
    assert "the teacher says what the model says" in refined.record.reasons[0]
    assert refined.record.reasons[1] == "teacher: as it was told"


def test_it_abstains_when_no_step_helps(two_heads: MacePotential, test_set: list[Atoms]) -> None:
    wild = replace(SETTINGS, learning_rate=10.0)
    refined = Distillation(Teacher(), settings=wild).refine(two_heads, test_set)
    assert refined.potential is two_heads and not refined.record.acted
    assert "no step lowered the distance to the teacher" in refined.record.reasons[0]


class Failing(Potential):
    """EMT that fails on some structures: with an error, or with what is no number."""

    capabilities = frozenset()
    cutoff_modes = frozenset()
    conservative = True
    name = "failing"
    cutoff = 4.0
    species = None
    heads = ("main",)

    def __init__(self, failing: str) -> None:
        self._inner = BlackBoxPotential(EMT(), 4.0)
        self._failing = failing

    def predict(self, structures: Sequence[Atoms], head: str | None = None) -> list:  # type: ignore[type-arg]
        if any(self._failing in atoms.symbols for atoms in structures):
            raise CapabilityError("no such element")
        found = self._inner.predict(structures)
        return [replace(p, forces=p.forces * np.nan) if len(p.forces) == 4 else p for p in found]

    graph = with_cutoff = calculator = None  # type: ignore[assignment]


def test_what_the_teacher_fails_on_is_left_out_and_told(
    two_heads: MacePotential, test_set: list[Atoms]
) -> None:
    mixed = [*test_set[:5], *rattled("HCN", 1), *rattled("H2CO", 1)]  # H2CO has four atoms
    teacher = Teacher(potential=Failing("N"))
    refined = Distillation(teacher, settings=SETTINGS).refine(two_heads, mixed)
    assert not refined.record.acted, "acetamide holds nitrogen"
    assert "failed on all structures (no such element)" in refined.record.reasons[-1]

    mixed = [*rattled("CH3OH", 5), *rattled("HCN", 1), *rattled("H2CO", 1)]
    refined = Distillation(teacher, settings=SETTINGS).refine(two_heads, mixed)
    assert refined.record.acted
    assert refined.record.figures["structures adapted on"] == 3
    assert any("failed on 2 structures (no such element)" in r for r in refined.record.reasons)


def test_rattled_copies_are_learned_too(two_heads: MacePotential, test_set: list[Atoms]) -> None:
    settings = replace(SETTINGS, structures="rattled", copies=3)
    record = Distillation(Teacher(), settings=settings).refine(two_heads, test_set).record
    assert record.figures["structures made from them"] == 18
    assert record.figures["evaluations of the teacher"] == 8 + 18


def test_rounds_go_on_while_they_help(two_heads: MacePotential, test_set: list[Atoms]) -> None:
    settings = replace(
        SETTINGS, structures="md", copies=2, interval=1, temperature=50.0, rounds=3, steps=10
    )
    record = Distillation(Teacher(), settings=settings).refine(two_heads, test_set).record
    assert record.acted
    assert record.figures["rounds"] == 3
    assert record.curves[0].steps == [0, 10, 20, 30]
    assert record.figures["structures made from them"] == 3 * 2 * 6
    # 8 given, 36 snapshots, and 3 calls for each of the 6 simulations of round 1
    assert record.figures["evaluations of the teacher"] == 8 + 36 + 6 * 3


def test_a_round_without_gain_is_the_last(two_heads: MacePotential, test_set: list[Atoms]) -> None:
    settings = replace(SETTINGS, rounds=5, learning_rate=1e-9)
    refined = Distillation(Teacher(), settings=settings).refine(two_heads, test_set)
    assert refined.record.figures["rounds"] == 2
    assert any("round 2 brought no further" in reason for reason in refined.record.reasons)
    assert refined.potential is two_heads


def test_impossible_settings_are_refused() -> None:
    with pytest.raises(ConfigError, match="did you mean 'rattled'"):
        DistillationSettings(structures="ratled")  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="rounds=0"):
        DistillationSettings(rounds=0)


def test_what_cannot_be_trained_is_refused(test_set: list[Atoms]) -> None:
    with pytest.raises(CapabilityError, match="distillation"):
        Distillation(Teacher()).refine(BlackBoxPotential(EMT()), test_set)
