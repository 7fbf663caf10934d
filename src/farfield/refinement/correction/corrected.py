"""A model whose main head is corrected by what the prior head is known to get wrong."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import final

from ase import Atoms
from ase.calculators.calculator import Calculator

from farfield.potentials import Potential, Prediction
from farfield.priors import Failure, Prior, load_prior, require
from farfield.priors.labelling import label_in_folder
from farfield.refinement.comparison import Comparison, compare
from farfield.refinement.correction.calculator import CorrectedCalculator, corrected
from farfield.refinement.correction.delta import Delta
from farfield.refinement.correction.rule import CorrectionRule
from farfield.refinement.per_system import PerStructure
from farfield.structures import Labels

Outcome = Labels | Failure
DELTA = "delta"  # what a Δ-model's file ends with, and where the rule names it


@final
class Corrected(PerStructure):
    """F = F_main - β (F_prior-head - F_prior), and the same for energy and stress.

    With a Δ-model, F_main - F_prior-head, an estimate of reference minus prior, gives way to
    the mean of itself and the Δ-model's: F = F_main + β (F_prior + mean - F_main).

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
    delta
        A Δ-model on top of the same prior, as a second opinion; or None.

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
        delta: Delta | None = None,
    ) -> None:
        base.main_head(rule.head)
        super().__init__(base)
        self.rule = rule
        self.prior = load_prior(rule.prior) if prior is None else prior
        self.delta = delta
        self.conservative = base.conservative and self.prior.conservative
        self.conservative &= delta is None or delta.conservative
        self._cache = cache
        self._workers = workers

    @property
    def name(self) -> str:
        second = "" if self.delta is None else " and a Δ-model"
        return f"{self.base.name}, corrected by {self.prior.name}{second}"

    def predict(self, structures: Sequence[Atoms], head: str | None = None) -> list[Prediction]:
        if self.main_head(head) != self.heads[0]:
            return self.base.predict(structures, head)
        main = self.base.predict(structures)
        if not self.rule.acts:
            return main
        found = []
        known = zip(main, *self._known(structures), self._seconds(structures), strict=True)
        for own, other, labels, second in known:
            if isinstance(labels, Failure):
                found.append(own)
            else:
                beta = self.rule.beta_of(compare(own, other, labels))
                found.append(corrected(own, other, labels, beta, second))
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
        return CorrectedCalculator(self.base, self.rule.head, self.prior, beta, self.delta)

    def save(self, path: Path) -> None:
        """Write the base model with the rule beside it, and a Δ-model as a file of its own."""
        rule = self.rule.to_plain()
        if self.delta is not None:
            beside = path.with_name(f"{path.name}.{DELTA}")
            self.delta.save(beside)
            rule[DELTA] = beside.name
        self.save_base(path, rule)

    def _known(self, structures: Sequence[Atoms]) -> tuple[list[Prediction], list[Outcome]]:
        """The prior head's predictions and the prior's labels."""
        cheap = self.base.predict(structures, self.rule.head)
        return cheap, label_in_folder(structures, self.prior, self._cache, self._workers)

    def _seconds(self, structures: Sequence[Atoms]) -> Sequence[Prediction | None]:
        """What the Δ-model says of reference minus prior."""
        if self.delta is None:
            return [None] * len(structures)
        return self.delta.base.predict(structures)
