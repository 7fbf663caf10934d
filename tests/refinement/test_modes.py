"""Adapting to each structure on its own: nothing is left behind, and the result is a model."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from ase import Atoms, units
from ase.md.verlet import VelocityVerlet

import farfield
from farfield.errors import CapabilityError, ConfigError
from farfield.potentials.mace import MacePotential
from farfield.refinement import (
    AdaptedEach,
    OneByOne,
    Refined,
    TestTimeSettings,
    TestTimeTraining,
    load_model,
)
from farfield.refinement.adaptation.replay import split_off
from farfield.shifts import Profile, observe
from farfield.shifts.profile import fit
from farfield.structures import without_labels

from .conftest import rattled
from .learned_prior import LearnedPrior, model

SETTINGS = TestTimeSettings(
    steps=10, judge_every=5, batch_size=4, learning_rate=0.01, ema_decay=0.5
)
TRAIN = [*rattled("CH3OH", 6), *rattled("HCN", 4, seed=50)]
TEST = without_labels(rattled("CH3CONH2", 2, seed=100))
MODEL = model()
# the forces are random, and hold no molecule together
NEVER = {"temperature_factor": 1e6, "energy_floor": 1e6}


def adapt(structures: list[Atoms], **changes: object) -> Refined:
    given = {"settings": SETTINGS, "checked_on": without_labels(TRAIN), **changes}
    training = TestTimeTraining(LearnedPrior(), **given)
    return OneByOne(training, copies=5).refine(MODEL, structures)


@pytest.fixture(scope="module")
def refined() -> Refined:
    return adapt(TEST)


def same(first: dict[str, torch.Tensor], second: dict[str, torch.Tensor]) -> bool:
    return first.keys() == second.keys() and all(
        torch.equal(first[key], second[key]) for key in first
    )


def test_each_starts_from_the_same_weights(refined: Refined) -> None:
    before, found = model().state(), refined.potential
    assert isinstance(found, AdaptedEach) and refined.record.acted
    assert same(MODEL.state(), before)
    alone = adapt(TEST[1:]).potential
    assert isinstance(alone, AdaptedEach)
    first, second = found.at(0).state(), found.at(1).state()
    assert same(second, alone.at(0).state())  # whatever went before it
    assert not same(first, second) and not same(first, before) and not same(second, before)
    found.predict(TEST)
    assert same(MODEL.state(), before) and same(found.base.state(), before)


def test_a_structure_is_learned_from_and_copies_of_it_judge() -> None:
    for copies, share, seed in [(1, 0.25, 0), (5, 0.25, 3), (7, 0.5, 1)]:
        settings = replace(SETTINGS, held_out=share, seed=seed)
        training = TestTimeTraining(LearnedPrior(), settings=settings)
        group = OneByOne(training, copies=copies)._with_copies(TEST[0])
        assert len(group) == copies + 1
        learned, judged = split_off(group, share, seed)
        assert TEST[0] in learned and TEST[0] not in judged
        apart = [np.linalg.norm(a.positions - TEST[0].positions, axis=1) for a in judged]
        assert np.allclose([np.sqrt(np.mean(d**2)) for d in apart], 0.1)


def test_figures_and_reasons_tell_of_each(refined: Refined) -> None:
    record = refined.record
    assert record.reasons[0].startswith("2 of 2 structures were adapted to")
    assert all("C2H5NO: adapted: the prior head's" in reason for reason in record.reasons[1:])
    assert len(record.reasons) == 3
    before, after = (
        record.figures[f"prior head, force MAE held out, {when}, eV/Å, median over structures"]
        for when in ("before", "after")
    )
    assert after < 0.98 * before
    assert record.settings["per"] == "structure" and record.settings["seed"] == 0


def test_its_predictions_are_those_of_its_models_through_files_too(
    refined: Refined, tmp_path: Path
) -> None:
    found = refined.potential
    assert isinstance(found, AdaptedEach)
    found.save(tmp_path / "model")
    back = load_model(str(tmp_path / "model"))
    assert isinstance(back, AdaptedEach)
    turned = TEST[::-1]
    for place, (one, other) in enumerate(
        zip(found.predict(turned), back.predict(turned), strict=True)
    ):
        own = found.at(1 - place).predict([turned[place]])[0]
        assert np.array_equal(one.forces, own.forces) and one.energy == own.energy
        assert np.array_equal(one.forces, other.forces) and one.energy == other.energy
        start = MODEL.predict([turned[place]])[0]
        assert not np.allclose(one.forces, start.forces, atol=1e-6)


def test_other_structures_are_refused_and_no_weights_are_guessed(refined: Refined) -> None:
    found = refined.potential
    assert isinstance(found, AdaptedEach)
    other = TEST[0].copy()
    other.positions[0, 0] += 0.01
    for atoms in (other, TRAIN[0], TEST[0].copy()):
        if atoms == TEST[0]:
            atoms.info["charge"] = 1
        with pytest.raises(CapabilityError, match="is none of the structures that"):
            found.predict([atoms])
    with pytest.raises(CapabilityError, match="no cutoff of its own"):
        found.with_cutoff(4.0, "taper")


def test_molecular_dynamics_keeps_the_weights_of_its_start(refined: Refined) -> None:
    found = refined.potential
    assert isinstance(found, AdaptedEach)
    ends = []
    for calculator in (found.calculator(), found.at(1).calculator()):
        atoms = TEST[1].copy()
        atoms.calc = calculator
        VelocityVerlet(atoms, 0.2 * units.fs).run(5)
        ends.append(atoms.positions)
    assert not np.allclose(ends[0], TEST[1].positions, atol=1e-4)
    assert np.array_equal(ends[0], ends[1])


def test_a_structure_with_nothing_to_mend_keeps_the_start() -> None:
    profile: Profile = fit(
        observe(rattled("CH3OH", 12), potential=MODEL), seed=0, header={"cutoff": MODEL.cutoff}
    )
    inside = without_labels(rattled("CH3OH", 1, seed=500))
    refined = adapt([*inside, TEST[0]], profile=profile)
    found = refined.potential
    assert isinstance(found, AdaptedEach)
    assert "left alone: only 0 of 1 structures" in refined.record.reasons[1]
    assert found.members[0].weights == {} and found.members[1].weights
    untouched = adapt(inside, profile=profile)
    assert untouched.potential is MODEL and not untouched.record.acted


def test_a_strange_charge_leaves_that_structure_alone() -> None:
    cation = TEST[0].copy()
    cation.info["charge"] = 1
    refined = adapt([cation])
    assert refined.potential is MODEL
    assert "charge +1" in refined.record.reasons[1]


def test_the_verb_writes_one_model_and_the_ordinary_ones(tmp_path: Path) -> None:
    options = {"steps": 4, "learning_rate": 0.01, "force": True}
    refined = farfield.refine(
        TEST,
        model=MODEL,
        method="ttt",
        prior=LearnedPrior(),
        per="structure",
        cache=tmp_path / "cache",
        output=tmp_path / "out",
        **options,
    )
    assert "no training structure is replayed" in refined.record.reasons[-1]
    written = load_model(str(tmp_path / "out" / "model"))
    for place, atoms in enumerate(TEST):
        ordinary = load_model(str(tmp_path / "out" / "models" / f"{place:04d}.pt"))
        forces = ordinary.predict([atoms])[0].forces
        assert np.array_equal(forces, written.predict([atoms])[0].forces)
    with pytest.raises(CapabilityError, match="in the folder models beside it"):
        farfield.export(str(tmp_path / "out" / "model"), output=tmp_path / "native")
    with pytest.raises(ConfigError, match="adapt per 'atom'"):
        farfield.refine(
            TEST,
            model=MODEL,
            method="ttt",
            prior=LearnedPrior(),
            per="atom",
            cache=tmp_path / "cache",
        )


def test_what_a_profile_keeps_is_replayed(tmp_path: Path) -> None:
    profile = farfield.profile(TRAIN, model=MODEL, coreset=6)
    given = {"model": MODEL, "method": "ttt", "prior": LearnedPrior(), "cache": tmp_path / "cache"}
    options = {"steps": 2, "learning_rate": 0.01, "force": True}
    refined = farfield.refine(TEST, profile=profile, **given, **options)
    assert refined.record.reasons[-1] == "6 training structures kept in the profile are replayed"
    anchor = "main head, force MAE on the anchor set, before, eV/Å"
    assert refined.record.figures[anchor] > 0.0
    same_as = farfield.refine(TEST, replay=profile.coreset.structures, **given, **options)
    first, second = refined.potential, same_as.potential
    assert isinstance(first, MacePotential) and isinstance(second, MacePotential)
    assert same(first.state(), second.state())
    plain = farfield.profile(TRAIN, model=MODEL)
    forgetful = farfield.refine(TEST, profile=plain, **given, **options).record
    assert "the profile keeps none" in forgetful.reasons[-1]
    assert anchor not in forgetful.figures


def test_simulations_refined_per_start_have_the_weights_of_theirs(tmp_path: Path) -> None:
    done = farfield.simulate(
        TEST,
        model=MODEL,
        output=tmp_path / "run",
        refine="ttt",
        prior=LearnedPrior(),
        refine_options={"per": "structure", "steps": 2, "learning_rate": 0.01, "force": True},
        cache=tmp_path / "cache",
        duration=0.002,
        temperature=10.0,
        checks={"allow_reactions": True},
        progress=False,
    )
    models = [tmp_path / "run" / "refinement" / "models" / f"000{place}.pt" for place in (0, 1)]
    for place, path in enumerate(models):
        frame = farfield.read(tmp_path / "run" / f"simulation_000{place}" / "trajectory.extxyz")[0]
        forces = load_model(str(path)).predict([TEST[place]])[0].forces
        assert np.allclose(frame.arrays["farfield_forces"], forces, atol=1e-6)
    assert len(done.outcomes) == 2


def test_the_dynamics_of_the_prior_are_what_the_model_is_adapted_to(tmp_path: Path) -> None:
    given = {
        "model": MODEL,
        "output": tmp_path / "run",
        "refine": "ttt",
        "sample": 0.05,
        "sample_temperature": 100.0,
        "prior": LearnedPrior(),
        "refine_options": {"steps": 2, "copies": 1, "force": True},
        "cache": tmp_path / "cache",
        "duration": 0.002,
        "temperature": 100.0,
        "checks": {"allow_reactions": True, **NEVER},
        "progress": False,
    }
    record = farfield.simulate(TEST[0], **given).record["refinement"]
    folders = sorted((tmp_path / "run" / "sample").glob("simulation_*"))
    sampled = [farfield.read(folder / "trajectory.extxyz") for folder in folders]
    assert all(len(frames) > 1 for frames in sampled)
    assert [frame.info["farfield_step"] for frame in sampled[0][:2]] == [0, 50]  # 25 fs
    learned, _ = split_off(range(sum(map(len, sampled))), TestTimeSettings.held_out, 0)
    assert record["figures"]["structures adapted on"] == len(learned)
    assert record["figures"]["structures made from them"] == len(learned)
    frame = sampled[0][-1]
    expected = LearnedPrior().calculator()
    frame.calc = None
    known = frame.arrays["farfield_forces"]
    frame.calc = expected
    assert np.allclose(known, frame.get_forces(), atol=1e-5)
    assert not np.allclose(sampled[0][-1].positions, sampled[1][-1].positions)


def test_the_dynamics_of_the_prior_are_twice_as_hot_unless_told(tmp_path: Path) -> None:
    energies = {}
    for asked in (None, 200.0, 50.0):
        given = {"temperature": 100.0, "duration": 0.0005, "progress": False}
        given |= {"checks": {"allow_reactions": True, **NEVER}, "cache": tmp_path / "cache"}
        folder = tmp_path / str(asked)
        farfield.simulate(
            TEST[0],
            model=MODEL,
            output=folder,
            refine="ttt",
            refine_options={"steps": 1, "copies": 0, "force": True},
            sample=0.025,
            sample_temperature=asked,
            prior=LearnedPrior(),
            **given,
        )
        start = farfield.read(folder / "sample" / "simulation_0000" / "trajectory.extxyz")[0]
        energies[asked] = start.get_kinetic_energy()
    assert energies[None] == energies[200.0]
    assert np.isclose(energies[None], 4 * energies[50.0])


def test_a_window_of_a_trajectory_is_what_a_later_run_is_adapted_to(tmp_path: Path) -> None:
    common = {"model": MODEL, "temperature": 10.0, "progress": False, "cache": tmp_path / "cache"}
    checks = {"allow_reactions": True}
    farfield.simulate(
        TEST[0], output=tmp_path / "first", duration=0.004, stride=1, checks=checks, **common
    )
    window = tmp_path / "first" / "simulation_0000" / "trajectory.extxyz"
    farfield.simulate(
        TEST[0],
        output=tmp_path / "second",
        refine="ttt",
        refine_on=window,
        prior=LearnedPrior(),
        refine_options={"steps": 2, "learning_rate": 0.01, "force": True},
        duration=0.001,
        checks=checks,
        **common,
    )
    folder = tmp_path / "second"
    record = json.loads((folder / "record.json").read_text(encoding="utf-8"))["refinement"]
    frames = len(farfield.read(window))
    assert frames > 4
    learned, _ = split_off(range(frames), TestTimeSettings.held_out, 0)
    assert record["figures"]["structures adapted on"] == len(learned)
    weights = load_model(str(folder / "refinement" / "model"))
    frame = farfield.read(folder / "simulation_0000" / "trajectory.extxyz")[0]
    forces = weights.predict([TEST[0]])[0].forces
    assert np.allclose(frame.arrays["farfield_forces"], forces, atol=1e-6)
    assert not np.allclose(forces, MODEL.predict([TEST[0]])[0].forces, atol=1e-6)
