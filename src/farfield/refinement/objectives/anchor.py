"""The weights against those at the start."""

from __future__ import annotations

from typing import final

import numpy as np
import torch

from farfield.potentials import TrainablePotential
from farfield.refinement.objectives.objective import Objective


@final
class AnchorObjective(Objective):
    """Half the squared distance of the representation's weights to those at the start.

    It is L2-SP (Li et al., arXiv 1802.01483): weight decay towards the start instead of zero.

    Parameters
    ----------
    start
        The model with the weights to stay near.
    weight
        Weight of the term, (eV/Å)² per unit of squared distance.
    """

    name = "anchor"

    def __init__(self, start: TrainablePotential, weight: float) -> None:
        self.weight = weight
        shared = start.representation_parameters()
        self._start = {name: value.detach().clone() for name, value in shared.items()}

    def loss(self, potential: TrainablePotential, random: np.random.Generator) -> torch.Tensor:
        now = potential.representation_parameters()
        distances = [(now[name] - value).pow(2).sum() for name, value in self._start.items()]
        return 0.5 * torch.stack(distances).sum()
