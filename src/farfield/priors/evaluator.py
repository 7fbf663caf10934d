"""One calculator, used for one structure after another."""

from __future__ import annotations

from typing import final

from ase import Atoms
from ase.calculators.calculator import Calculator

from farfield.priors.contract import Failure, Prior, compute
from farfield.structures import Labels


@final
class Evaluator:
    """Labels structures with one calculator of a prior; each process has one of these.

    After a failure the calculator is replaced, so that nothing of it reaches the next
    structure.
    """

    def __init__(self, prior: Prior) -> None:
        self._prior = prior
        self._calculator: Calculator | None = prior.calculator()

    def __call__(self, atoms: Atoms) -> Labels | Failure:
        """Return the labels of ``atoms``, or why there are none."""
        if self._calculator is None:
            self._calculator = self._prior.calculator()
        outcome = compute(self._prior, atoms, self._calculator)
        if isinstance(outcome, Failure):
            self._calculator = None
        return outcome
