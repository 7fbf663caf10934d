"""What test-time training minimises; no objective needs a label of a test structure."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import final

import numpy as np
import torch

from farfield.potentials import TrainablePotential
from farfield.training.losses import energy_forces_loss, forces_loss
from farfield.training.samples import Sample, targets


class Objective(ABC):
    """One term of the loss. Objectives are added up, each with its weight."""

    name: str
    weight: float

    @abstractmethod
    def loss(self, potential: TrainablePotential, random: np.random.Generator) -> torch.Tensor:
        """The term for one random batch, with gradients."""


@final
class PriorObjective(Objective):
    """Squared error of the prior head's forces against the prior's, (eV/Å)².

    Parameters
    ----------
    samples
        Test structures with the prior's labels, for the prior's head.
    batch_size
        Structures per step.
    """

    name = "prior"

    def __init__(self, samples: Sequence[Sample], batch_size: int) -> None:
        self.weight = 1.0
        self._samples = samples
        self._batch_size = batch_size

    def loss(self, potential: TrainablePotential, random: np.random.Generator) -> torch.Tensor:
        chosen = draw(self._samples, self._batch_size, random)
        batch = potential.batch([s.atoms for s in chosen], [s.head for s in chosen])
        return forces_loss(potential.forward(batch, training=True), targets(chosen, potential))


@final
class ReplayObjective(Objective):
    """Loss of the main head on labelled *training* structures: what must not be forgotten.

    Parameters
    ----------
    samples
        Training structures with reference labels, for the main head.
    batch_size
        Structures per step.
    weight
        Weight of the term.
    energy_weight
        Weight of the energy error per atom against the force error, Å⁻².
    """

    name = "replay"

    def __init__(
        self, samples: Sequence[Sample], batch_size: int, weight: float, energy_weight: float
    ) -> None:
        self.weight = weight
        self._samples = samples
        self._batch_size = batch_size
        self._energy_weight = energy_weight

    def loss(self, potential: TrainablePotential, random: np.random.Generator) -> torch.Tensor:
        chosen = draw(self._samples, self._batch_size, random)
        batch = potential.batch([s.atoms for s in chosen], [s.head for s in chosen])
        prediction = potential.forward(batch, training=True)
        return energy_forces_loss(prediction, targets(chosen, potential), self._energy_weight, 1.0)


def draw(samples: Sequence[Sample], count: int, random: np.random.Generator) -> list[Sample]:
    """At most ``count`` different samples, at random."""
    places = random.choice(len(samples), size=min(count, len(samples)), replace=False)
    return [samples[place] for place in places]
