"""A model whose main head is corrected by what the prior head is known to get wrong."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, final

import numpy as np
from ase import Atoms
from ase.calculators.calculator import Calculator, all_changes

from farfield.potentials import Potential, Prediction
from farfield.priors import Failure, Prior, load_prior, require
from farfield.priors.evaluator import Evaluator
from farfield.priors.labelling import label_in_folder
from farfield.refinement.comparison import Comparison, compare
from farfield.refinement.correction_rule import CorrectionRule
from farfield.refinement.per_system import PerStructure
from farfield.structures import Labels

Outcome = Labels | Failure


@final
class Corrected(PerStructure):
    """F = F_main - β (F_prior-head - F_prior), and the same for energy and stress.

    The prior is computed at every prediction. Each structure has its own β; a calculator
    keeps that of its first structure, so that its forces are the gradient of its energy. A
    structure on which the prior fails, or is not trusted, is predicted by the main head alone
    (its β is 0); for a calculator a failure is an error.

    Parameters
    ----------
    base
        A model with a head for the prior.
    rule
        β, and the prior's name.
    prior
        The prior; None loads it by the rule's name.
    cache, workers
        Folder of the label cache, None for no cache; processes that label.

    Raises
    ------
    CapabilityError
        In a calculator: the prior gave no label.
    ModelError
        The model has no head for this prior.
    """

    def __init__(
        self,
        base: Potential,
        rule: CorrectionRule,
        prior: Prior | None = None,
        cache: Path | None = None,
        workers: int = 1,
    ) -> None:
        base.main_head(rule.head)
        super().__init__(base)
        self.rule = rule
        self.prior = load_prior(rule.prior) if prior is None else prior
        self.conservative = base.conservative and self.prior.conservative
        self._cache = cache
        self._workers = workers

    @property
    def name(self) -> str:
        return f"{self.base.name}, corrected by {self.prior.name}"

    def predict(self, structures: Sequence[Atoms], head: str | None = None) -> list[Prediction]:
        if self.main_head(head) != self.heads[0]:
            return self.base.predict(structures, head)
        main = self.base.predict(structures)
        if not self.rule.acts:
            return main
        found = []
        for own, other, labels in zip(main, *self._known(structures), strict=True):
            if isinstance(labels, Failure):
                found.append(own)
            else:
                beta = self.rule.beta_of(compare(own, other, labels))
                found.append(_corrected(own, other, labels, beta))
        return found

    def compare(self, structures: Sequence[Atoms]) -> list[Comparison | Failure]:
        """What heads and prior say of each structure, or why the prior says nothing."""
        main = self.base.predict(structures)
        return [
            labels if isinstance(labels, Failure) else compare(own, other, labels)
            for own, other, labels in zip(main, *self._known(structures), strict=True)
        ]

    def fixed(self, atoms: Atoms, head: str) -> Calculator:
        """Return a calculator with the β of ``atoms``."""
        if head != self.heads[0] or not self.rule.acts:
            return self.base.calculator(head)
        main = self.base.predict([atoms])[0]
        cheap, known = self._known([atoms])
        seen = compare(main, cheap[0], require(known[0], atoms, self.prior))
        beta = self.rule.beta_of(seen)
        return CorrectedCalculator(self.base, self.rule.head, self.prior, beta)

    def save(self, path: Path) -> None:
        """Write the base model with the rule beside it."""
        self.save_base(path, self.rule.to_plain())

    def _known(self, structures: Sequence[Atoms]) -> tuple[list[Prediction], list[Outcome]]:
        """The prior head's predictions and the prior's labels."""
        cheap = self.base.predict(structures, self.rule.head)
        return cheap, label_in_folder(structures, self.prior, self._cache, self._workers)


@final
class CorrectedCalculator(Calculator):
    """ASE calculator of a corrected model with one β.

    Beside energy (eV), forces (eV/Å) and stress (eV/Å³), ``results`` holds
    ``farfield_beta`` and ``farfield_prior_residual``: the length of F_prior-head - F_prior of
    each atom, shape (N,), eV/Å, an estimate of the main head's own error.
    """

    implemented_properties = ["energy", "free_energy", "forces", "stress"]  # noqa: RUF012 - as ASE has it

    def __init__(self, base: Potential, head: str, prior: Prior, beta: float) -> None:
        super().__init__()
        self._base = base
        self._head = head
        self._prior = prior
        self._beta = beta
        self._evaluate = Evaluator(prior)

    def calculate(
        self,
        atoms: Atoms | None = None,
        properties: Any = None,
        system_changes: Any = all_changes,
    ) -> None:
        """Compute all properties: two predictions of the model and one of the prior."""
        super().calculate(atoms, properties, system_changes)
        assert self.atoms is not None  # set by ASE
        labels = require(self._evaluate(self.atoms), self.atoms, self._prior)
        main = self._base.predict([self.atoms])[0]
        cheap = self._base.predict([self.atoms], self._head)[0]
        found = _corrected(main, cheap, labels, self._beta)
        self.results = {
            "energy": found.energy,
            "free_energy": found.energy,
            "forces": found.forces,
            "farfield_beta": self._beta,
            "farfield_prior_residual": np.linalg.norm(cheap.forces - labels.known_forces, axis=1),
        }
        if found.stress is not None:
            self.results["stress"] = found.stress


def _corrected(main: Prediction, cheap: Prediction, labels: Labels, beta: float) -> Prediction:
    """The prediction of the main head, less β times the prior head's error."""
    assert labels.energy is not None  # a prior gives it
    stress = None
    if main.stress is not None and cheap.stress is not None and labels.stress is not None:
        stress = main.stress - beta * (cheap.stress - labels.stress)
    return Prediction(
        energy=main.energy - beta * (cheap.energy - labels.energy),
        forces=main.forces - beta * (cheap.forces - labels.known_forces),
        features=main.features,
        stress=stress,
    )
