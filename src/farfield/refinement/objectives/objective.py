"""The contract of an objective."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence

import numpy as np
import torch

from farfield.potentials import TrainablePotential
from farfield.potentials.trainable import BatchPrediction
from farfield.training import Sample, Targets, targets


class Objective(ABC):
    """One term of the loss. Objectives are added up, each with its weight."""

    name: str
    weight: float

    @abstractmethod
    def loss(self, potential: TrainablePotential, random: np.random.Generator) -> torch.Tensor:
        """The term for one random batch, with gradients."""

    def advance(self, potential: TrainablePotential) -> None:
        """Take note of a step of ``potential``; most objectives need not."""
        return

    def state(self) -> list[torch.Tensor]:
        """What :meth:`advance` has changed, for a checkpoint."""
        return []

    def restore(self, state: Sequence[torch.Tensor]) -> None:
        """Go on from what :meth:`state` gave."""
        return


class SampledObjective(Objective):
    """An objective that compares the predictions for a few samples with their labels.

    Parameters
    ----------
    samples
        What batches are drawn from.
    batch_size
        Structures per step.
    weight
        Weight of the term.
    """

    def __init__(self, samples: Sequence[Sample], batch_size: int, weight: float = 1.0) -> None:
        self.weight = weight
        self._samples = samples
        self._batch_size = batch_size

    @abstractmethod
    def term(
        self, samples: Sequence[Sample], prediction: BatchPrediction, target: Targets
    ) -> torch.Tensor:
        """The term for one batch."""

    def draw(self, random: np.random.Generator) -> list[Sample]:
        """At most as many different samples as a batch has, at random."""
        return [self._samples[place] for place in places(self._samples, self._batch_size, random)]

    def loss(self, potential: TrainablePotential, random: np.random.Generator) -> torch.Tensor:
        samples = self.draw(random)
        return self.term(samples, *predicted(potential, samples))


def places(items: Sequence[object], batch_size: int, random: np.random.Generator) -> list[int]:
    """Places of at most ``batch_size`` different items, at random."""
    count = min(batch_size, len(items))
    chosen: list[int] = random.choice(len(items), size=count, replace=False).tolist()
    return chosen


def predicted(
    potential: TrainablePotential, samples: Sequence[Sample]
) -> tuple[BatchPrediction, Targets]:
    """Prediction, with gradients, and labels of a batch."""
    batch = potential.batch([s.atoms for s in samples], [s.head for s in samples])
    return potential.forward(batch, training=True), targets(samples, potential)
