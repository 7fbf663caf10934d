"""The prior head against the prior."""

from __future__ import annotations

from collections.abc import Sequence
from typing import final

import torch

from farfield.potentials.trainable import BatchPrediction
from farfield.refinement.objectives.objective import SampledObjective
from farfield.training import Sample, Targets
from farfield.training.losses import forces_loss


@final
class PriorObjective(SampledObjective):
    """Squared error of the prior head's forces against the prior's, (eV/Å)².

    Energies may join. Those of two structures of one composition are compared up to a
    constant, since the head need not know the prior's zero of energy far from training.

    Parameters
    ----------
    samples
        Test structures with the prior's labels, for the prior's head.
    batch_size
        Structures per step.
    weight
        Weight of the term.
    energy_weight
        Weight of the energy error per atom against the force error, Å⁻².
    """

    name = "prior"

    def __init__(
        self,
        samples: Sequence[Sample],
        batch_size: int,
        weight: float = 1.0,
        energy_weight: float = 0.0,
    ) -> None:
        super().__init__(samples, batch_size, weight)
        self._energy_weight = energy_weight

    def term(
        self, samples: Sequence[Sample], prediction: BatchPrediction, target: Targets
    ) -> torch.Tensor:
        forces = forces_loss(prediction, target)
        if self._energy_weight == 0.0:
            return forces
        energies = relative_energy_loss(samples, prediction, target)
        return forces + self._energy_weight * energies.to(forces.dtype)


def relative_energy_loss(
    samples: Sequence[Sample], prediction: BatchPrediction, target: Targets
) -> torch.Tensor:
    """Mean squared error of energies per atom, less its mean over each composition, eV².

    A composition of which the batch holds one structure contributes nothing.
    """
    groups: dict[bytes, list[int]] = {}
    for place, sample in enumerate(samples):
        groups.setdefault(bytes(sorted(sample.atoms.numbers.tolist())), []).append(place)
    error = (prediction.energy - target.energy) / target.counts
    parts = [error[group] for group in groups.values() if len(group) > 1]
    if not parts:
        return error.new_zeros(())
    return torch.cat([part - part.mean() for part in parts]).pow(2).mean()
