"""A prior that a random two-head model knows nearly, and everything that it may turn out to be."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Literal, final

import numpy as np
import torch
from ase import Atoms
from ase.calculators.calculator import Calculator

from farfield.potentials.mace import MacePotential
from farfield.priors import Prior
from farfield.priors.function import FunctionCalculator
from tests.potentials.conftest import ENERGIES, small_mace

Change = Callable[[Atoms, np.ndarray], np.ndarray]


def model() -> MacePotential:
    """Random weights, with a head for the prior ``learned``."""
    found = _model().clone()
    found.metadata["levels_of_theory"] = {"learned": "a moved model"}
    return found


@cache
def _model() -> MacePotential:
    return small_mace().with_head("learned", dict.fromkeys(ENERGIES, 0.0))


@cache
def moved() -> MacePotential:
    """The same with the weights of its representation moved a little: what the prior computes."""
    found = model()
    generator = torch.Generator().manual_seed(3)
    with torch.no_grad():
        for value in found.representation_parameters().values():
            drawn = torch.randn(value.shape, generator=generator, dtype=value.dtype)
            value.add_(0.03 * value.abs().mean() * drawn)
    return found


@final
class LearnedPrior(Prior):
    """Forces of the moved model, changed on purpose."""

    name = "learned"
    elements = None
    periodic = True
    conservative = False
    cost: Literal["cheap", "moderate", "costly"] = "cheap"

    def __init__(
        self, change: Change = lambda atoms, forces: forces, level: str = "a moved model"
    ) -> None:
        self.level_of_theory = level
        self._change = change
        self._model = moved()

    def calculator(self) -> Calculator:
        def results(atoms: Atoms) -> dict[str, object]:
            found = self._model.predict([atoms], "learned")[0]
            return {"energy": found.energy, "forces": self._change(atoms, found.forces)}

        return FunctionCalculator(results)
