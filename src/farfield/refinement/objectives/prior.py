"""The prior head against the prior."""

from __future__ import annotations

from typing import final

import torch

from farfield.potentials.contract import BatchPrediction
from farfield.refinement.objectives.objective import SampledObjective
from farfield.training import Targets
from farfield.training.losses import forces_loss


@final
class PriorObjective(SampledObjective):
    """Squared error of the prior head's forces against the prior's, (eV/Å)².

    The samples are test structures with the prior's labels, for the prior's head.
    """

    name = "prior"

    def term(self, prediction: BatchPrediction, target: Targets) -> torch.Tensor:
        return forces_loss(prediction, target)
