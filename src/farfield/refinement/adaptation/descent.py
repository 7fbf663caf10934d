"""Gradients of what is learned and of what is to be kept, and whether they agree."""

from __future__ import annotations

from collections.abc import Sequence
from typing import final

import numpy as np
import torch

from farfield.potentials import TrainablePotential
from farfield.refinement.adaptation.moving import Moving, Tensors
from farfield.refinement.objectives import Objective, SampledObjective, Together


@final
class Descent:
    """The way down.

    Parameters
    ----------
    potential
        The model.
    moving
        Its weights that move.
    learn
        Objectives on test structures.
    keep
        Objectives on training structures; may be empty.
    project
        Whether the gradient of ``learn`` loses its part against that of ``keep``.
    """

    def __init__(
        self,
        potential: TrainablePotential,
        moving: Moving,
        learn: Sequence[Objective],
        keep: Sequence[Objective],
        project: bool,
    ) -> None:
        self._potential = potential
        self._moving = moving
        self._learn = _joined(learn)
        self._keep = _joined(keep)
        self._all = _joined([*learn, *keep])
        self._project = project and bool(keep)

    def gradient(self, random: np.random.Generator) -> Tensors:
        """The gradient of one random batch."""
        if not self._project:
            return self._of(self._all, random)
        learned, kept = self._of(self._learn, random), self._of(self._keep, random)
        pairs = zip(without_conflict(learned, kept), kept, strict=True)
        return [first + second for first, second in pairs]

    def agreement(self, random: np.random.Generator) -> float | None:
        """Cosine of the two gradients, on one random batch of each; None without ``keep``."""
        if not self._keep:
            return None
        return cosine(self._of(self._learn, random), self._of(self._keep, random))

    def _of(self, objectives: Sequence[Objective], random: np.random.Generator) -> Tensors:
        terms = [part.weight * part.loss(self._potential, random) for part in objectives]
        found = torch.autograd.grad(
            torch.stack(terms).sum(),
            self._moving.weights,
            allow_unused=True,
            materialize_grads=True,
        )
        return self._moving.gradients(list(found))


def cosine(first: Tensors, second: Tensors) -> float:
    """Cosine of the angle between two gradients; 0 where one of them is zero."""
    size = (_dot(first, first) * _dot(second, second)) ** 0.5
    return _dot(first, second) / size if size > 0.0 else 0.0


def without_conflict(learned: Tensors, kept: Tensors) -> Tensors:
    """Take off the part of one gradient that points against the other.

    To first order, a step down what is left does not raise the other loss (A-GEM, Chaudhry et
    al., arXiv 1812.00420).
    """
    overlap = _dot(learned, kept)
    if overlap >= 0.0:
        return learned
    share = overlap / _dot(kept, kept)
    return [first - share * second for first, second in zip(learned, kept, strict=True)]


def _dot(first: Tensors, second: Tensors) -> float:
    pairs = zip(first, second, strict=True)
    return float(sum((a.double() * b.double()).sum() for a, b in pairs))


def _joined(objectives: Sequence[Objective]) -> list[Objective]:
    """Objectives that compare predictions with labels share one call of the model."""
    sampled = [part for part in objectives if isinstance(part, SampledObjective)]
    if len(sampled) < 2:
        return list(objectives)
    others = [part for part in objectives if not isinstance(part, SampledObjective)]
    return [Together(sampled), *others]
