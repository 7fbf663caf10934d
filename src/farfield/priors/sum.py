"""The sum of several priors, such as a model without dispersion and D4."""

from __future__ import annotations

from typing import Any, Literal, final

from ase import Atoms
from ase.calculators.calculator import CalculationFailed, Calculator

from farfield.errors import ConfigError
from farfield.priors.contract import Failure, Prior, compute
from farfield.priors.dispersion import DispersionPrior
from farfield.priors.function import FunctionCalculator, Results

# They contain dispersion by their own definition; another would count it twice.
WITH_DISPERSION = frozenset({"gfn1", "gfn2", "gfnff", "mmff94", "uff"})


@final
class SumPrior(Prior):
    """Energies and forces of several priors, added up.

    It takes the structures that all of them take, and fails where one of them fails.

    Parameters
    ----------
    first, others
        The priors to add.

    Raises
    ------
    ConfigError
        Dispersion would be counted twice, or the same prior is given twice.
    """

    def __init__(self, first: Prior, *others: Prior) -> None:
        self.terms = _flat((first, *others))
        _check(self.terms)
        self.name = "_".join(term.name for term in self.terms)
        self.level_of_theory = " + ".join(term.level_of_theory for term in self.terms)
        limited = [term.elements for term in self.terms if term.elements is not None]
        self.elements = frozenset.intersection(*limited) if limited else None
        self.periodic = all(term.periodic for term in self.terms)
        self.conservative = all(term.conservative for term in self.terms)
        costs: tuple[Literal["cheap", "moderate", "costly"], ...] = ("cheap", "moderate", "costly")
        self.cost = max((term.cost for term in self.terms), key=costs.index)

    def refusal(self, atoms: Atoms) -> str | None:
        """Return why one of the priors cannot take ``atoms``, or None when all can."""
        reasons = (term.refusal(atoms) for term in self.terms)
        return next((reason for reason in reasons if reason), None)

    def calculator(self) -> Calculator:
        """Return a new calculator with one of each prior in it."""
        parts = [(term, term.calculator()) for term in self.terms]

        def function(atoms: Atoms) -> Results:
            return _added(parts, atoms)

        common = ["energy", "forces"]
        if all("stress" in calculator.implemented_properties for _, calculator in parts):
            common.append("stress")
        return FunctionCalculator(function, common)


def _added(parts: list[tuple[Prior, Calculator]], atoms: Atoms) -> Results:
    found = []
    for term, calculator in parts:
        outcome = compute(term, atoms, calculator)
        if isinstance(outcome, Failure):
            raise CalculationFailed(f"{term.name}: {outcome.reason}")
        found.append(outcome)
    results: dict[str, Any] = {
        "energy": sum(labels.energy for labels in found if labels.energy is not None),
        "forces": sum(labels.known_forces for labels in found),
    }
    stresses = [labels.stress for labels in found]
    if all(stress is not None for stress in stresses):
        results["stress"] = sum(stress for stress in stresses if stress is not None)
    return results


def _flat(terms: tuple[Prior, ...]) -> tuple[Prior, ...]:
    flat: list[Prior] = []
    for term in terms:
        flat.extend(term.terms if isinstance(term, SumPrior) else (term,))
    return tuple(flat)


def _check(terms: tuple[Prior, ...]) -> None:
    names = [term.name for term in terms]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice:
        raise ConfigError(f"the prior {twice!r} stands twice in the sum {'+'.join(names)}")
    having = [
        term.name
        for term in terms
        if isinstance(term, DispersionPrior) or term.name in WITH_DISPERSION
    ]
    if len(having) > 1 and any(isinstance(term, DispersionPrior) for term in terms):
        raise ConfigError(
            f"{having[0]} and {having[1]} both contain dispersion, which their sum would count "
            "twice: leave one of them out"
        )
