"""Objectives in one batch are the same terms as one by one."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from ase import Atoms

from farfield.potentials.mace import MacePotential
from farfield.refinement.objectives import DistilObjective, ReplayObjective, Together
from farfield.structures import Labels
from farfield.training import Sample


def test_together_is_the_weighted_sum(
    two_heads: MacePotential, train: list[Atoms], test_set: list[Atoms]
) -> None:
    def samples(structures: list[Atoms]) -> list[Sample]:
        labels = [Labels(0.0, np.full((len(atoms), 3), 0.1 * len(atoms))) for atoms in structures]
        return [
            Sample(a, two_heads.heads[0], known)
            for a, known in zip(structures, labels, strict=True)
        ]

    distil = DistilObjective(samples(test_set), 3)
    replay = ReplayObjective(samples(train), 5, weight=0.3, energy_weight=0.1)

    def gradient(loss: torch.Tensor) -> torch.Tensor:
        parameters = list(two_heads.representation_parameters().values())
        found = torch.autograd.grad(loss, parameters, allow_unused=True)
        return torch.cat([value.ravel() for value in found if value is not None])

    random = np.random.default_rng(0)
    apart = distil.loss(two_heads, random) + 0.3 * replay.loss(two_heads, random)
    together = Together([distil, replay]).loss(two_heads, np.random.default_rng(0))
    assert together.item() == pytest.approx(apart.item(), rel=1e-9)
    torch.testing.assert_close(gradient(together), gradient(apart), rtol=1e-7, atol=1e-9)
