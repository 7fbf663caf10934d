"""Any other model as a prior: a large one, say, for a small one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal, final

from ase import Atoms
from ase.calculators.calculator import Calculator

from farfield.errors import ConfigError, ModelError
from farfield.importing import Imported
from farfield.potentials import BlackBoxPotential, Potential, fingerprint
from farfield.potentials.loading import CALCULATORS, load_potential
from farfield.priors.calculator import NAME
from farfield.priors.contract import Prior
from farfield.priors.function import FunctionCalculator, Results


@final
class PotentialPrior(Prior):
    """A model in the role of a prior.

    Parameters
    ----------
    source
        A potential, or what names one: an alias, a path, ``module:Name`` or ``file.py:Name``
        (:func:`farfield.potentials.loading.load_potential`). Only a name goes to worker
        processes cheaply: each loads the model anew.
    name
        Lower-case letters, digits and underscores; None makes it of what names the model.
    head
        The head whose predictions are the labels; None is the main head.

    Raises
    ------
    ConfigError
        ``name`` is missing or not fit for keys, the model carries a refinement rule, or it is
        a black box that nothing tells from another.
    ModelError
        There is no such model or head.
    """

    periodic = True
    cost: Literal["cheap", "moderate", "costly"] = "moderate"

    def __init__(
        self, source: str | Potential, *, name: str | None = None, head: str | None = None
    ) -> None:
        self._source = source
        self._potential = _load(source)
        self._head = self._potential.main_head(head)
        if name is None and isinstance(source, Potential):
            raise ConfigError("a potential that is given as an object needs a name as a prior")
        self.name = name_of(str(source)) if name is None else name
        if not NAME.fullmatch(self.name):
            raise ConfigError(
                f"the prior's name {self.name!r} must be lower-case letters, digits and underscores"
            )
        self.elements = self._potential.head_species(self._head)
        self.conservative = self._potential.conservative
        self.level_of_theory = (
            f"{self._potential.name}, head {self._head!r}, {_identity(source, self._potential)}"
        )

    def calculator(self) -> Calculator:
        """Return a new calculator; all of them share the model's weights."""
        potential, head = self._potential, self._head

        def function(atoms: Atoms) -> Results:
            prediction = potential.predict([atoms], head)[0]
            results = {"energy": prediction.energy, "forces": prediction.forces}
            if prediction.stress is not None:
                results["stress"] = prediction.stress
            return results

        return FunctionCalculator(function, ("energy", "forces", "stress"))

    def __reduce__(self) -> tuple[Callable[..., PotentialPrior], tuple[Any, ...]]:
        """Travel to another process as what names the model, with the level it must have."""
        return _revive, (self._source, self.name, self._head, self.level_of_theory)


def _revive(source: str | Potential, name: str, head: str, level_of_theory: str) -> PotentialPrior:
    prior = PotentialPrior(source, name=name, head=head)
    if prior.level_of_theory != level_of_theory:
        raise ModelError(
            f"the model {source!r} has changed since the prior {name!r} was made: make it again"
        )
    return prior


def _load(source: str | Potential) -> Potential:
    if isinstance(source, Potential):
        return source
    potential, rule = load_potential(source)
    if rule:
        raise ConfigError(
            f"the model {source!r} carries a refinement rule ({', '.join(rule)}), which a prior "
            "does not apply: give the model it was made from"
        )
    return potential


def name_of(spec: str) -> str:
    """Return a name fit for keys for what names a model: ``"Large.pt"`` gives ``"large"``."""
    last = spec.replace("\\", "/").rsplit("/", 1)[-1].rsplit(":", 1)[-1]
    stem = last.rsplit(".", 1)[0]
    letters = (letter if letter.isascii() and letter.isalnum() else "_" for letter in stem.lower())
    return "".join(letters).strip("_")


def _identity(source: str | Potential, potential: Potential) -> str:
    """Return what tells this model from every other, for the key of the label cache."""
    if not isinstance(potential, BlackBoxPotential):
        return f"fingerprint {fingerprint(potential)}"
    if isinstance(source, Potential):
        raise ConfigError(
            f"{potential.name} is a black box whose parameters farfield cannot see: "
            "make a CalculatorPrior of it, with a level_of_theory that names them"
        )
    imported = Imported.parse(CALCULATORS.get(source, source))
    return f"{imported.source.rsplit('/', 1)[-1]}:{imported.name} ({imported.version})"
