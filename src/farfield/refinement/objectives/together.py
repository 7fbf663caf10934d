"""Several objectives in one batch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import final

import numpy as np
import torch

from farfield.potentials import TrainablePotential
from farfield.potentials.trainable import BatchPrediction
from farfield.refinement.objectives.objective import Objective, SampledObjective, predicted
from farfield.training import Targets


@final
class Together(Objective):
    """The weighted sum of several objectives, for one call of the model instead of several.

    A small model spends more time on a call than on a structure.
    """

    name = "together"

    def __init__(self, parts: Sequence[SampledObjective]) -> None:
        self.weight = 1.0
        self._parts = parts

    def loss(self, potential: TrainablePotential, random: np.random.Generator) -> torch.Tensor:
        drawn = [part.draw(random) for part in self._parts]
        prediction, target = predicted(potential, [sample for some in drawn for sample in some])
        terms, first, first_atom = [], 0, 0
        for part, samples in zip(self._parts, drawn, strict=True):
            structures = slice(first, first + len(samples))
            atoms = slice(first_atom, first_atom + sum(len(s.atoms) for s in samples))
            terms.append(
                part.weight * part.term(samples, *_cut(prediction, target, structures, atoms))
            )
            first, first_atom = structures.stop, atoms.stop
        return torch.stack(terms).sum()


def _cut(
    prediction: BatchPrediction, target: Targets, structures: slice, atoms: slice
) -> tuple[BatchPrediction, Targets]:
    return (
        BatchPrediction(
            prediction.energy[structures], prediction.forces[atoms], prediction.features[atoms]
        ),
        Targets(target.energy[structures], target.forces[atoms], target.counts[structures]),
    )
