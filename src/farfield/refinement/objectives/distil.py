"""The main head against a teacher."""

from __future__ import annotations

from collections.abc import Sequence
from typing import final

import torch

from farfield.potentials.trainable import BatchPrediction
from farfield.refinement.objectives.objective import SampledObjective
from farfield.training import Sample, Targets
from farfield.training.losses import forces_loss


@final
class DistilObjective(SampledObjective):
    """Squared error of the main head's forces against the teacher's, (eV/Å)².

    The samples are structures with what the teacher predicts for them, for the main head.
    """

    name = "distil"

    def term(
        self, samples: Sequence[Sample], prediction: BatchPrediction, target: Targets
    ) -> torch.Tensor:
        return forces_loss(prediction, target)
