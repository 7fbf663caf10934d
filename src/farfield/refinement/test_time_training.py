"""Test-time training: move the shared representation by what is known without labels.

The prior head sees the test structures with a prior's labels, its error moves the shared
representation, and the main head then predicts from it (Kreiman & Krishnapriyan, arXiv
2503.08674, section 4). Labelled *training* structures, replayed meanwhile, keep the model
from forgetting what it knew.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import final

import numpy as np
import torch
from ase import Atoms
from torch.optim.lr_scheduler import CosineAnnealingLR

from farfield.errors import CapabilityError, did_you_mean
from farfield.potentials import Potential, TrainablePotential, require_trainable
from farfield.priors import Failure, LabelCache, Prior, label
from farfield.refinement import gate
from farfield.refinement.contract import Curve, Record, Refined, Refinement
from farfield.refinement.objectives import Objective, PriorObjective, ReplayObjective
from farfield.shifts import Profile, diagnose, observe
from farfield.structures import folds, require_labels
from farfield.training import Sample, force_mae
from farfield.training.averaging import AveragedWeights


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
    anchor_tolerance
        A step whose force MAE on the anchor set has risen by more than this share is not
        chosen. The anchor set are training structures that are not replayed; the model has
        seen them in training, so their error rises before that of unseen ones does.
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
    replay_weight: float = 2.0
    held_out: float = 0.25
    anchor_tolerance: float = 0.25
    judge_every: int = 10
    seed: int = 0
    force: bool = False


@final
class TestTimeTraining(Refinement):
    """Adapt a two-head model to a set of unlabelled structures.

    Parameters
    ----------
    prior
        The prior whose head the model has.
    replay
        Training structures with reference labels; empty leaves the model free to forget.
    profile
        Profile of the training set: with it, the model is left alone unless the structures
        are shifted.
    settings
        Steps, rates and the seed.
    workers, cache
        For labelling with the prior.

    Raises
    ------
    CapabilityError
        The model cannot be trained, or has no head for this prior.
    """

    __test__ = False  # not a test class
    name = "ttt"

    def __init__(
        self,
        prior: Prior,
        replay: Sequence[Atoms] = (),
        profile: Profile | None = None,
        settings: TestTimeSettings | None = None,
        workers: int = 1,
        cache: LabelCache | None = None,
    ) -> None:
        self._prior = prior
        self._replay = replay
        self._profile = profile
        self._settings = settings or TestTimeSettings()
        self._workers = workers
        self._cache = cache

    def _refine(self, potential: Potential, structures: list[Atoms]) -> Refined:
        start = require_trainable(potential, "test-time training")
        if self._prior.name not in start.heads:
            raise CapabilityError(
                f"{start.name} has the heads {', '.join(start.heads)}, none for the prior "
                f"{self._prior.name!r}{did_you_mean(self._prior.name, start.heads[1:])}: train "
                "one with  farfield train --strategy joint"
            )
        settings = {**asdict(self._settings), "prior": self._prior.level_of_theory}
        reasons = []
        if self._profile is not None:
            seen = observe(structures, potential=start)
            decision = gate.before(diagnose(structures, seen, self._profile))
            reasons.append(decision.reason)
            if not decision.act and not self._settings.force:
                return Refined(potential, Record(self.name, False, reasons, settings=settings))

        outcomes = label(structures, self._prior, workers=self._workers, cache=self._cache)
        samples = [
            Sample(atoms, self._prior.name, labels)
            for atoms, labels in zip(structures, outcomes, strict=True)
            if not isinstance(labels, Failure)
        ]
        failed = [outcome for outcome in outcomes if isinstance(outcome, Failure)]
        if failed:
            reasons.append(
                f"the prior failed on {len(failed)} of {len(outcomes)} structures "
                f"({failed[0].reason}), which were left out"
            )
        if not samples:
            return Refined(potential, Record(self.name, False, reasons, settings=settings))
        adapted, record = _adapt(start.clone(), samples, self._replayed(start), self._settings)
        reasons += record.reasons
        content = {**vars(record), "reasons": reasons, "settings": settings}
        return Refined(adapted if record.acted else potential, Record(**content))

    def _replayed(self, potential: TrainablePotential) -> list[Sample]:
        kept = [atoms for atoms in self._replay if len(atoms) > 1]
        labels = require_labels(kept, energy=True, purpose="replay")
        return [
            Sample(atoms, potential.heads[0], label)
            for atoms, label in zip(kept, labels, strict=True)
        ]


def _adapt(
    potential: TrainablePotential,
    samples: Sequence[Sample],
    replay: Sequence[Sample],
    settings: TestTimeSettings,
) -> tuple[TrainablePotential, Record]:
    """Move ``potential`` in place; the record says whether the result is to be kept."""
    learn, held_out = _split(samples, settings.held_out, settings.seed)
    rehearse, anchor = _split(replay, 0.2, settings.seed) if replay else ([], [])
    objectives: list[Objective] = [PriorObjective(learn, settings.batch_size)]
    if rehearse:
        objectives.append(
            ReplayObjective(rehearse, settings.batch_size, settings.replay_weight, 0.1)
        )
    for parameter in potential.head_parameters().values():
        parameter.requires_grad_(False)
    moving = list(potential.representation_parameters().values())
    for parameter in moving:
        parameter.requires_grad_(True)
    optimiser = torch.optim.Adam(moving, lr=settings.learning_rate)
    schedule = CosineAnnealingLR(optimiser, settings.steps)
    averaged = AveragedWeights(moving, settings.ema_decay)
    random = np.random.default_rng(settings.seed)

    held_start = force_mae(potential, held_out)
    anchor_start = force_mae(potential, anchor) if anchor else None
    steps, held, anchored = [0], [held_start], [anchor_start]
    best, best_held, best_anchor = 0, held_start, anchor_start
    state = potential.state()
    for step in range(1, settings.steps + 1):
        optimiser.zero_grad()
        terms = [objective.weight * objective.loss(potential, random) for objective in objectives]
        torch.stack(terms).sum().backward()
        torch.nn.utils.clip_grad_norm_(moving, 10.0)
        optimiser.step()
        schedule.step()
        averaged.update()
        if step % settings.judge_every and step != settings.steps:
            continue
        steps.append(step)
        with averaged.applied():
            held.append(force_mae(potential, held_out))
            anchored.append(force_mae(potential, anchor) if anchor else None)
            judged = potential.state()
        remembered = anchor_start is None or (
            anchored[-1] is not None
            and anchored[-1] <= (1.0 + settings.anchor_tolerance) * anchor_start
        )
        if (remembered and held[-1] < best_held) or settings.force:
            best, best_held, best_anchor = step, held[-1], anchored[-1]
            state = judged
    potential.restore(state)

    decision = gate.after(held_start, best_held, anchor_start, best_anchor)
    figures = {
        "structures adapted on": float(len(learn)),
        "structures held out": float(len(held_out)),
        "best step": float(best),
        "prior head, force MAE held out, before, eV/Å": held_start,
        "prior head, force MAE held out, after, eV/Å": best_held,
    }
    series = {"prior head, held-out test structures": held}
    if anchor_start is not None and best_anchor is not None:
        figures["main head, force MAE on the anchor set, before, eV/Å"] = anchor_start
        figures["main head, force MAE on the anchor set, after, eV/Å"] = best_anchor
        series["main head, anchor set (training structures not replayed)"] = [a for a in anchored if a is not None]
    curve = Curve("Force MAE", "eV/Å", steps, series, kept=best)
    acted = decision.act or settings.force
    return potential, Record(TestTimeTraining.name, acted, [decision.reason], figures, [curve])


def _split(samples: Sequence[Sample], share: float, seed: int) -> tuple[list[Sample], list[Sample]]:
    """Split off a share, at least one; a single sample stands on both sides."""
    if len(samples) < 2:
        return list(samples), list(samples)
    parts = folds(len(samples), max(2, round(1.0 / share)), seed)
    held_out = set(parts[0])
    return (
        [sample for index, sample in enumerate(samples) if index not in held_out],
        [samples[index] for index in parts[0]],
    )
