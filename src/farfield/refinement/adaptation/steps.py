"""The steps of an adaptation: move the representation, judge, keep the best step."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial

import numpy as np
import torch
from torch.optim.lr_scheduler import CosineAnnealingLR

from farfield.potentials import TrainablePotential
from farfield.refinement.adaptation.checkpoint import AdaptationCheckpoint
from farfield.refinement.adaptation.descent import Descent
from farfield.refinement.adaptation.judgement import Choice, Course, Judgement
from farfield.refinement.adaptation.moving import Moving, moving_of
from farfield.refinement.adaptation.settings import AdaptationSettings, TestTimeSettings
from farfield.refinement.objectives import Objective
from farfield.training import Sample, force_mae
from farfield.training.averaging import AveragedWeights

__all__ = ["AdaptationSettings", "Course", "Judgement", "TestTimeSettings", "adapt"]

CLIP_NORM = 10.0
Report = Callable[[Judgement], None]


def adapt(
    potential: TrainablePotential,
    learn: Sequence[Objective],
    keep: Sequence[Objective],
    held_out: Sequence[Sample] | Callable[[TrainablePotential], float],
    anchor: Sequence[Sample],
    settings: AdaptationSettings,
    earlier: Course | None = None,
    checkpoint: AdaptationCheckpoint | None = None,
    report: Report = lambda judgement: None,
) -> Course:
    """Move the representation of ``potential`` in place, and leave it at the best step.

    Parameters
    ----------
    potential
        The model; its heads do not move.
    learn, keep
        What is minimised: on test structures, and on those of the training domain.
    held_out, anchor
        What the steps are judged by: samples, by whose force MAE, or for the test structures
        whatever else gives an error in eV/Å.
    settings
        Steps and rates.
    earlier
        What went before, when this goes on from there; gain and forgetting count from its
        start.
    checkpoint
        Written at every judgement; an interrupted run goes on from there.
    report
        Called with each judgement after that of the start, once it is on disk.
    """
    error = held_out if callable(held_out) else partial(force_mae, samples=held_out)
    moving = moving_of(potential, settings)
    descent = Descent(potential, moving, learn, keep, settings.project)
    optimiser = torch.optim.Adam(moving.parameters, lr=settings.learning_rate)
    schedule = CosineAnnealingLR(optimiser, settings.steps)
    averaged = AveragedWeights(moving.parameters, settings.ema_decay)
    random = np.random.default_rng(settings.seed)
    taken = 0 if earlier is None else earlier.judgements[-1].step

    def judge(place: Judgement) -> Judgement:
        remembered = force_mae(potential, anchor) if anchor else None
        return replace(place, held_out=error(potential), anchor=remembered)

    def look(step: int) -> Judgement:
        agreement = descent.agreement(np.random.default_rng((settings.seed, step)))
        return judge(Judgement(step, 0.0, None, agreement))

    start = look(0) if earlier is None else earlier.judgements[0]
    choice = Choice(start, potential.state(), settings, earlier)
    found = None if checkpoint is None else checkpoint.load(potential.device)
    done = 0
    if found is not None:
        done = found["step"]
        _set(moving.parameters, found["parameters"])
        moving.apply()
        averaged.values = found["averaged"]
        optimiser.load_state_dict(found["optimiser"])
        schedule.load_state_dict(found["schedule"])
        random.bit_generator.state = json.loads(found["random"])
        choice.load(found["choice"])
        for objective, state in zip(learn, found["objectives"], strict=True):
            objective.restore(state)

    for step in range(done + 1, settings.steps + 1):
        gradients = descent.gradient(random)
        for parameter, gradient in zip(moving.parameters, gradients, strict=True):
            parameter.grad = gradient
        torch.nn.utils.clip_grad_norm_(moving.parameters, CLIP_NORM)
        optimiser.step()
        schedule.step()
        moving.apply()
        averaged.update()
        for objective in learn:
            objective.advance(potential)
        if step % settings.judge_every and step != settings.steps:
            continue
        with _averaged(averaged, moving):
            choice.add(look(taken + step), potential)
        if checkpoint is not None:
            checkpoint.save(
                {
                    "step": step,
                    "parameters": [parameter.detach().clone() for parameter in moving.parameters],
                    "averaged": averaged.values,
                    "optimiser": optimiser.state_dict(),
                    "schedule": schedule.state_dict(),
                    "random": json.dumps(random.bit_generator.state),
                    "choice": choice.dump(),
                    "objectives": [objective.state() for objective in learn],
                }
            )
        report(choice.judgements[-1])
    return choice.conclude(potential, judge)


@contextmanager
def _averaged(averaged: AveragedWeights, moving: Moving) -> Iterator[None]:
    """Set the weights to what the averaged parameters say, for a while."""
    with averaged.applied():
        moving.apply()
        yield
    moving.apply()


def _set(parameters: Sequence[torch.nn.Parameter], values: Sequence[torch.Tensor]) -> None:
    with torch.no_grad():
        for parameter, value in zip(parameters, values, strict=True):
            parameter.copy_(value)
