"""Which step is kept: the price of a gain, the limit on forgetting, weights part of the way."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, cast

import numpy as np
import pytest
import torch

from farfield.errors import ConfigError
from farfield.potentials import TrainablePotential
from farfield.refinement import TestTimeSettings
from farfield.refinement.adaptation.course_record import course_record
from farfield.refinement.adaptation.descent import Descent, cosine, without_conflict
from farfield.refinement.adaptation.judgement import Choice, Judgement
from farfield.refinement.adaptation.moving import Whole
from farfield.refinement.gate import PRIOR_ERROR
from farfield.refinement.objectives import Objective

START = Judgement(0, 1.0, 0.1)
SETTINGS = TestTimeSettings()


class OneWeight:
    """A model of one number."""

    def __init__(self, value: float) -> None:
        self.value = torch.tensor([value])

    def state(self) -> dict[str, torch.Tensor]:
        return {"weight": self.value.clone(), "count": torch.tensor([3])}

    def restore(self, state: dict[str, torch.Tensor]) -> None:
        self.value = state["weight"].clone()


def chosen(settings: TestTimeSettings, *steps: Judgement) -> tuple[Judgement, float]:
    """What is kept; the weight of step n is n, the error falls and the anchor's rises with it."""
    model = OneWeight(0.0)
    potential = cast(TrainablePotential, model)
    choice = Choice(START, potential.state(), settings)
    for found in steps:
        model.value = torch.tensor([float(found.step)])
        choice.add(found, potential)

    def judge(place: Judgement) -> Judgement:
        way = model.value.item() / 10.0
        return replace(place, held_out=1.0 - 0.5 * way, anchor=0.1 + 0.2 * way**2)

    return choice.conclude(potential, judge).kept, model.value.item()


def test_the_lowest_affordable_step_is_kept() -> None:
    half, whole = Judgement(5, 0.8, 0.14), Judgement(10, 0.5, 0.3)
    assert chosen(SETTINGS, half, whole) == (half, 5.0)
    assert chosen(replace(SETTINGS, forgetting=1.0), half, whole) == (whole, 10.0)
    assert chosen(replace(SETTINGS, force=True), whole, half) == (half, 5.0)


def test_a_limit_on_forgetting_holds_whatever_the_gain() -> None:
    half, whole = Judgement(5, 0.8, 0.105), Judgement(10, 0.5, 0.12)
    assert chosen(replace(SETTINGS, forgetting_limit=0.3), half, whole)[0] == whole
    assert chosen(replace(SETTINGS, forgetting_limit=0.1), half, whole)[0] == half
    assert chosen(replace(SETTINGS, forgetting_limit=0.0), half, whole)[0] == START


def test_weights_part_of_the_way_are_kept_where_the_end_forgets_too_much() -> None:
    whole = Judgement(10, 0.5, 0.3)
    assert chosen(SETTINGS, whole) == (START, 0.0)
    kept, weight = chosen(replace(SETTINGS, interpolate=True), whole)
    assert (kept.step, kept.share) == (10, 0.6)  # 0.072 forgotten for 0.3; at 0.8 0.128 for 0.4
    assert weight == pytest.approx(6.0)
    assert kept.anchor == pytest.approx(0.1 + 0.2 * 0.6**2)


def test_a_choice_goes_on_from_what_was_stored() -> None:
    model = OneWeight(0.0)
    potential = cast(TrainablePotential, model)
    settings = replace(SETTINGS, interpolate=True)
    first = Choice(START, potential.state(), settings)
    model.value = torch.tensor([5.0])
    first.add(Judgement(5, 0.8, 0.11), potential)
    again = Choice(START, OneWeight(0.0).state(), settings)
    again.load(first.dump())
    outcome = OneWeight(7.0)
    course = again.conclude(cast(TrainablePotential, outcome), lambda place: place)
    assert course.kept == Judgement(5, 0.8, 0.11) and outcome.value.item() == 5.0
    assert len(course.judgements) == 2


def test_gradients_agree_or_not() -> None:
    right, up = [torch.tensor([1.0, 0.0])], [torch.tensor([0.0, 2.0])]
    back = [torch.tensor([-2.0, 1.0])]
    assert cosine(right, up) == 0.0
    assert cosine(right, [torch.tensor([3.0, 0.0])]) == pytest.approx(1.0)
    assert cosine(right, [torch.zeros(2)]) == 0.0
    assert without_conflict(right, up) is right
    (freed,) = without_conflict(back, right)
    assert torch.equal(freed, torch.tensor([0.0, 1.0]))


class Slope(Objective):
    """A loss whose gradient is given."""

    name = "slope"

    def __init__(self, slope: list[float], weight: torch.nn.Parameter) -> None:
        self.weight = 1.0
        self._slope, self._moving = torch.tensor(slope), weight

    def loss(self, potential: TrainablePotential, random: np.random.Generator) -> torch.Tensor:
        return (self._slope * self._moving).sum()


def test_a_step_does_not_go_against_replay_if_so_asked() -> None:
    weight = torch.nn.Parameter(torch.zeros(2))
    model = cast(TrainablePotential, OneWeight(0.0))
    learn, keep = [Slope([-2.0, 1.0], weight)], [Slope([1.0, 0.0], weight)]
    random = np.random.default_rng(0)
    for project, wanted in ((False, [-1.0, 1.0]), (True, [1.0, 1.0])):
        descent = Descent(model, Whole([weight]), learn, keep, project)
        assert descent.gradient(random)[0].tolist() == wanted
        assert descent.agreement(random) == pytest.approx(-2.0 / 5.0**0.5)
    assert Descent(model, Whole([weight]), learn, [], True).gradient(random)[0].tolist() == [-2, 1]
    assert Descent(model, Whole([weight]), learn, [], True).agreement(random) is None


def test_the_record_tells_agreement_and_the_share() -> None:
    start = replace(START, agreement=-0.3)
    end = Judgement(10, 0.5, 0.11, 0.2)
    model = cast(TrainablePotential, OneWeight(1.0))
    choice = Choice(start, model.state(), replace(SETTINGS, interpolate=True, forgetting=0.01))
    choice.add(end, model)
    course = choice.conclude(model, lambda place: replace(place, held_out=0.6, anchor=0.1))
    record = course_record("ttt", PRIOR_ERROR, course)
    assert record.figures["share of the way from the start to this step"] == 0.2
    assert record.figures["cosine of the gradients of learning and replay at the start"] == -0.3
    assert record.curves[1].series == {"learning and replay": [-0.3, 0.2]}
    assert record.acted


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"objectives": ("piror",)}, "did you mean 'prior'"),
        ({"objectives": ("prior", "prior")}, "named twice"),
        ({"objectives": ("anchor",)}, "nothing to learn from"),
        ({"objectives": ()}, "nothing to learn from"),
        ({"objectives": ("prior", "replay")}, "on whenever"),
        ({"parameters": "erly"}, "did you mean 'early'"),
        ({"forgetting_limit": -0.1}, "must not be below 0"),
        ({"rank": 0}, "must be above 0"),
        ({"noise": 0.0}, "must be above 0"),
    ],
)
def test_impossible_settings_are_refused(given: dict[str, Any], told: str) -> None:
    with pytest.raises(ConfigError, match=told):
        TestTimeSettings(**given)
