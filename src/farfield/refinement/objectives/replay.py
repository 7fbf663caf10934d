"""The main head on what it knows already."""

from __future__ import annotations

from collections.abc import Sequence
from typing import final

import torch

from farfield.potentials.trainable import BatchPrediction
from farfield.refinement.objectives.objective import SampledObjective
from farfield.training import Sample, Targets
from farfield.training.losses import energy_forces_loss


@final
class ReplayObjective(SampledObjective):
    """Loss of the main head on structures of the *training* domain: not to be forgotten.

    Parameters
    ----------
    samples
        Structures with reference labels, or with the model's own predictions, for the main
        head.
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
        super().__init__(samples, batch_size, weight)
        self._energy_weight = energy_weight

    def term(
        self, samples: Sequence[Sample], prediction: BatchPrediction, target: Targets
    ) -> torch.Tensor:
        return energy_forces_loss(prediction, target, self._energy_weight, 1.0)
