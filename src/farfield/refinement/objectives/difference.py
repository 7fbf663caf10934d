"""The main head follows the prior head: what lies between the two is kept."""

from __future__ import annotations

from collections.abc import Sequence
from typing import final

import torch

from farfield.potentials import TrainablePotential
from farfield.potentials.trainable import BatchPrediction
from farfield.refinement.objectives.objective import SampledObjective
from farfield.structures import Labels
from farfield.training import Sample, Targets
from farfield.training.losses import forces_loss


@final
class DifferenceObjective(SampledObjective):
    """Squared error of the main head's forces, (eV/Å)², against the prior plus a difference.

    The difference is what lay between the main head and the prior head at the start. Far from
    training both heads err alike, since the representation fails; their difference holds longer
    (``docs/correction.md``). The prior objective moves the prior head to the prior; this one
    lets the main head go along, where the representation alone would leave it behind.

    Parameters
    ----------
    start
        The model at the start.
    samples
        Test structures with the prior's labels, for the prior's head.
    batch_size
        Structures per step.
    weight
        Weight of the term.
    """

    name = "difference"

    def __init__(
        self,
        start: TrainablePotential,
        samples: Sequence[Sample],
        batch_size: int,
        weight: float = 1.0,
    ) -> None:
        super().__init__(shifted_labels(start, samples), batch_size, weight)

    def term(
        self, samples: Sequence[Sample], prediction: BatchPrediction, target: Targets
    ) -> torch.Tensor:
        return forces_loss(prediction, target)


def shifted_labels(start: TrainablePotential, samples: Sequence[Sample]) -> list[Sample]:
    """Samples for the main head: the labels of ``samples`` plus main head minus their head."""
    structures, main = [sample.atoms for sample in samples], start.heads[0]
    found = []
    for sample, first, second in zip(
        samples,
        start.predict(structures, main),
        start.predict(structures, samples[0].head),
        strict=True,
    ):
        energy = (sample.labels.energy or 0.0) + first.energy - second.energy
        forces = sample.labels.known_forces + first.forces - second.forces
        found.append(Sample(sample.atoms, main, Labels(energy, forces)))
    return found
