"""What a model decides per structure stays decided, and what watches a run is heard."""

from __future__ import annotations

import numpy as np
import pytest
from ase import Atoms
from ase.calculators.calculator import Calculator

import farfield
from farfield import simulate
from farfield.priors import CalculatorPrior
from farfield.refinement.per_system import PerStructure
from tests.simulation.made import BAD, START, Planted, Springs, healthy, springs


class Chosen(PerStructure):
    """Springs whose stiffness is chosen by the x position of the first atom."""

    capabilities = frozenset()
    cutoff_modes = frozenset()
    conservative = True
    name = "chosen springs"
    cutoff = None
    species = None
    heads = ("main",)

    def __init__(self) -> None:
        self.asked: list[float] = []

    def graph(self, atoms):
        raise NotImplementedError

    def with_cutoff(self, cutoff, mode):
        raise NotImplementedError

    def predict(self, structures, head=None):
        raise AssertionError("it would choose anew")

    def fixed(self, atoms: Atoms, head: str) -> Calculator:
        self.asked.append(float(atoms.positions[0, 0]))
        calculator = Springs()
        calculator.stiffness = 20.0 + 100.0 * float(atoms.positions[0, 0])
        return calculator


def test_the_choice_is_made_once_for_each_start_and_kept_over_a_restart(tmp_path):
    moved = START.copy()
    moved.positions += [0.05, 0, 0]
    starts = [START, moved]
    given = {"ensemble": "nve", "replicas": 2, "stride": 5, "progress": False, "timestep": 0.25}
    model = Chosen()
    done = simulate(starts, model=model, output=tmp_path / "whole", duration=0.1, **given)
    assert model.asked == [0.0, pytest.approx(0.05)]
    for outcome in done.outcomes:  # with a choice at every step it would not be conserved
        assert abs(outcome.figures["largest_energy_change_eV_per_atom"]) < 2e-3
    for duration in (0.04, 0.1):
        simulate(starts, model=Chosen(), output=tmp_path / "parts", duration=duration, **given)
    for index in range(4):
        name = f"simulation_000{index}/trajectory.extxyz"
        assert (tmp_path / "parts" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()


def rattled(count: int, scale: float) -> list[Atoms]:
    random = np.random.default_rng(4)
    structures = [START.copy() for _ in range(count)]
    for atoms in structures:
        atoms.positions += random.normal(scale=scale, size=(5, 3))
    return structures


def softening(step, place, atoms, found):
    """From step 100 on, springs of another model."""
    return springs(atoms, stiffness=3.0) if place == BAD and step >= 100 else found


@pytest.mark.parametrize("stops", [False, True])
@pytest.mark.parametrize("fault", [healthy, softening])
def test_disagreement_with_the_prior_is_an_alarm_or_a_stop(tmp_path, fault, stops):
    prior = CalculatorPrior(Springs, name="true", level_of_theory="springs")
    checks = {"watch_stride": 10, "window": 3, "stop_on_alarm": stops, "allow_reactions": True}
    done = simulate(
        *(START,),
        **{"model": Planted(fault), "prior": prior, "output": tmp_path / "run", "replicas": 2},
        **{"duration": 0.15, "checks": checks, "progress": False},
    )
    good, bad = done.outcomes
    assert (good.alarms, good.failure) == ([], None)
    assert good.figures["prior_disagreement_last_eV_per_A"] == pytest.approx(0.0, abs=1e-12)
    wrong = fault is softening
    assert bad.completed == (not wrong or not stops)
    event = bad.failure if stops else next(iter(bad.alarms), None)
    if not wrong:
        assert event is None
        return
    assert event.check == "prior_disagreement"
    assert 100 <= event.step <= 130
    assert len(bad.alarms) == (0 if stops else 1)  # the first alone
    assert done.record["alarms"] == ({} if stops else {"prior_disagreement": 1})


@pytest.mark.parametrize(("temperature", "alarms"), [(50.0, []), (900.0, ["shift"])])
def test_leaving_the_training_domain_is_an_alarm(tmp_path, temperature, alarms):
    profile = farfield.profile(rattled(40, 0.02), cutoff=4.0)
    checks = {"watch_stride": 20, "shift_quantile": 0.95}
    done = simulate(
        START,
        model=Planted(),
        profile=profile,
        output=tmp_path / "run",
        temperature=temperature,
        duration=0.3,
        checks=checks,
        progress=False,
    )
    assert [alarm.check for alarm in done.outcomes[0].alarms] == alarms
    assert done.outcomes[0].completed
    assert 0.0 <= done.outcomes[0].figures["shift_quantile"] <= 1.0
