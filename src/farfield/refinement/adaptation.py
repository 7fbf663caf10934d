"""The steps of test-time training: move the representation, judge, keep the best step."""

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
class TestTimeSettings:
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
        Share of the test structures by whose prior error the best step is chosen.
    forgetting
        The price of a gain: a step is not chosen if the force MAE on the anchor set has risen
        by more than this share of what the held-out prior error has fallen by. The anchor
        set are training structures that are not replayed.
    judge_every
        Steps between judgements.
    seed
        Of the splits and batches.
    force
        Act without a reason, and keep the last step whatever the judgement says.
    """

    __test__ = False  # not a test class

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
class Judgement:
    """The model at one step, judged without a reference label of a test structure.

    Attributes
    ----------
    step
        Number of steps taken.
    held_out
        Force MAE of the prior head on test structures that are not learned from, eV/Å.
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


def adapt(
    potential: TrainablePotential,
    objectives: Sequence[Objective],
    held_out: Sequence[Sample],
    anchor: Sequence[Sample],
    settings: TestTimeSettings,
) -> tuple[list[Judgement], Judgement]:
    """Move the representation of ``potential`` in place, and leave it at the best step.

    Returns
    -------
    All judgements, that of step 0 first; and that of the step that was kept.
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

    start = best = judge(0)
    judgements, state = [start], potential.state()
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
            found = judge(step)
            judgements.append(found)
            better = found.held_out < best.held_out
            if settings.force or (better and found.affordable(start, settings.forgetting)):
                best, state = found, potential.state()
    potential.restore(state)
    return judgements, best
