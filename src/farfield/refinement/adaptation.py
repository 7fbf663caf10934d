"""The steps of an adaptation: move the representation, judge, keep the best step."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch.optim.lr_scheduler import CosineAnnealingLR

from farfield.potentials import TrainablePotential
from farfield.refinement.objectives import Objective
from farfield.training import Sample, force_mae
from farfield.training.averaging import AveragedWeights

CLIP_NORM = 10.0


@dataclass(frozen=True)
class AdaptationSettings:
    """How the representation is moved.

    Attributes
    ----------
    steps
        Gradient steps (Adam).
    learning_rate
        Of Adam at the start; it falls to zero as a cosine.
    ema_decay
        Decay of the averaged weights, by which steps are judged and which are kept.
    batch_size
        Structures per step and objective.
    replay_weight
        Weight of the main head's loss on training structures.
    held_out
        Share of the test structures by whose error (of the prior head against the prior, or
        of the main head against its teacher) the best step is chosen.
    forgetting
        The price of a gain: a step is not chosen if the force MAE on the anchor set has risen
        by more than this share of what the error on the held-out structures has fallen by.
        The anchor set are structures of the training domain that are not replayed.
    judge_every
        Steps between judgements.
    seed
        Of the splits and batches.
    force
        Act without a reason, and keep the last step whatever the judgement says.
    """

    steps: int = 150
    learning_rate: float = 5e-3
    ema_decay: float = 0.9
    batch_size: int = 8
    replay_weight: float = 1.0
    held_out: float = 0.25
    forgetting: float = 0.25
    judge_every: int = 10
    seed: int = 0
    force: bool = False


@dataclass(frozen=True)
class TestTimeSettings(AdaptationSettings):
    """Settings of test-time training."""

    __test__ = False  # not a test class


@dataclass(frozen=True)
class Judgement:
    """The model at one step, judged without a reference label of a test structure.

    Attributes
    ----------
    step
        Number of steps taken.
    held_out
        Force MAE on test structures that are not learned from, eV/Å: of the head that
        learns, against what it learns from.
    anchor
        Force MAE of the main head on the anchor set, eV/Å; None without one.
    """

    step: int
    held_out: float
    anchor: float | None

    def affordable(self, start: Judgement, forgetting: float) -> bool:
        """Whether what was forgotten since ``start`` is worth what was gained."""
        if self.anchor is None or start.anchor is None:
            return True
        return self.anchor - start.anchor <= forgetting * (start.held_out - self.held_out)


@dataclass(frozen=True)
class Course:
    """How an adaptation went.

    Attributes
    ----------
    judgements
        All of them, that of step 0 first.
    kept
        That of the step whose weights were kept.
    """

    judgements: list[Judgement]
    kept: Judgement


def adapt(
    potential: TrainablePotential,
    objectives: Sequence[Objective],
    held_out: Sequence[Sample],
    anchor: Sequence[Sample],
    settings: AdaptationSettings,
    earlier: Course | None = None,
) -> Course:
    """Move the representation of ``potential`` in place, and leave it at the best step.

    Parameters
    ----------
    potential
        The model; its heads do not move.
    objectives
        What is minimised.
    held_out, anchor
        What the steps are judged by.
    settings
        Steps and rates.
    earlier
        What went before, when this goes on from there; gain and forgetting count from its
        start.
    """

    def judge(step: int) -> Judgement:
        remembered = force_mae(potential, anchor) if anchor else None
        return Judgement(step, force_mae(potential, held_out), remembered)

    for parameter in potential.head_parameters().values():
        parameter.requires_grad_(False)
    moving = list(potential.representation_parameters().values())
    for parameter in moving:
        parameter.requires_grad_(True)
    optimiser = torch.optim.Adam(moving, lr=settings.learning_rate)
    schedule = CosineAnnealingLR(optimiser, settings.steps)
    averaged = AveragedWeights(moving, settings.ema_decay)
    random = np.random.default_rng(settings.seed)

    judgements = [judge(0)] if earlier is None else list(earlier.judgements)
    start, taken = judgements[0], judgements[-1].step
    best, state = start if earlier is None else earlier.kept, potential.state()
    for step in range(1, settings.steps + 1):
        optimiser.zero_grad()
        terms = [objective.weight * objective.loss(potential, random) for objective in objectives]
        torch.stack(terms).sum().backward()
        torch.nn.utils.clip_grad_norm_(moving, CLIP_NORM)
        optimiser.step()
        schedule.step()
        averaged.update()
        if step % settings.judge_every and step != settings.steps:
            continue
        with averaged.applied():
            found = judge(taken + step)
            judgements.append(found)
            better = found.held_out < best.held_out
            if settings.force or (better and found.affordable(start, settings.forgetting)):
                best, state = found, potential.state()
    potential.restore(state)
    return Course(judgements, best)
