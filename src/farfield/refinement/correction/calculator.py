"""The formula of a correction, and an ASE calculator that keeps one β."""

from __future__ import annotations

from typing import Any, final

import numpy as np
from ase import Atoms
from ase.calculators.calculator import Calculator, all_changes

from farfield.potentials import Potential, Prediction
from farfield.priors import Prior, require
from farfield.priors.evaluator import Evaluator
from farfield.refinement.correction.delta import Delta
from farfield.structures import Labels


def corrected(
    main: Prediction,
    cheap: Prediction,
    labels: Labels,
    beta: float,
    second: Prediction | None,
) -> Prediction:
    """The prediction of the main head, less β times what it is known, or believed, to miss."""
    assert labels.energy is not None  # a prior gives it
    known = Prediction(labels.energy, labels.known_forces, stress=labels.stress)
    if second is None:
        terms = [(1.0, main), (-beta, cheap), (beta, known)]
    else:  # main - cheap gives way to its mean with second
        terms = [(1.0 - beta / 2, main), (-beta / 2, cheap), (beta, known), (beta / 2, second)]
    stresses = [weight * each.stress for weight, each in terms if each.stress is not None]
    return Prediction(
        energy=sum(weight * each.energy for weight, each in terms),
        forces=np.sum([weight * each.forces for weight, each in terms], axis=0),
        features=main.features,
        stress=np.sum(stresses, axis=0) if len(stresses) == len(terms) else None,
    )


@final
class CorrectedCalculator(Calculator):
    """ASE calculator of a corrected model with one β.

    Beside energy (eV), forces (eV/Å) and stress (eV/Å³), ``results`` holds
    ``farfield_beta`` and ``farfield_prior_residual``: the length of F_prior-head - F_prior of
    each atom, shape (N,), eV/Å, an estimate of the main head's own error.
    """

    implemented_properties = ["energy", "free_energy", "forces", "stress"]  # noqa: RUF012 - as ASE has it

    def __init__(
        self, base: Potential, head: str, prior: Prior, beta: float, delta: Delta | None = None
    ) -> None:
        super().__init__()
        self._base = base
        self._head = head
        self._prior = prior
        self._beta = beta
        self._delta = delta
        self._evaluate = Evaluator(prior)

    def calculate(
        self,
        atoms: Atoms | None = None,
        properties: Any = None,
        system_changes: Any = all_changes,
    ) -> None:
        """Compute all: two predictions of the model, one of the prior, and of a Δ-model."""
        super().calculate(atoms, properties, system_changes)
        assert self.atoms is not None  # set by ASE
        labels = require(self._evaluate(self.atoms), self.atoms, self._prior)
        main = self._base.predict([self.atoms])[0]
        cheap = self._base.predict([self.atoms], self._head)[0]
        second = None if self._delta is None else self._delta.base.predict([self.atoms])[0]
        found = corrected(main, cheap, labels, self._beta, second)
        self.results = {
            "energy": found.energy,
            "free_energy": found.energy,
            "forces": found.forces,
            "farfield_beta": self._beta,
            "farfield_prior_residual": np.linalg.norm(cheap.forces - labels.known_forces, axis=1),
        }
        if found.stress is not None:
            self.results["stress"] = found.stress
