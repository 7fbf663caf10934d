"""A Δ-model with its prior: the sum of the two is what it predicts."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, final

from ase import Atoms
from ase.calculators.calculator import Calculator

from farfield.errors import CapabilityError
from farfield.potentials import Potential, Prediction, TrainablePotential
from farfield.potentials.calculator import PotentialCalculator
from farfield.potentials.wrapped import WrappedPotential
from farfield.priors import Prior, load_prior, require
from farfield.priors.labelling import label_in_folder
from farfield.training.delta import between

KIND = "delta"


def delta_rule(prior: str) -> dict[str, Any]:
    """What stands beside the weights of a Δ-model; ``prior`` as ``load_prior`` takes it."""
    return {"kind": KIND, "prior": prior}


@final
class Delta(WrappedPotential):
    """F = F_prior + F_Δ, and the same for energy and stress; the prior is computed each time.

    Parameters
    ----------
    base
        The model of reference minus prior (``farfield train --strategy delta``).
    prior
        The prior, or how :func:`farfield.priors.load_prior` takes it.
    cache, workers
        Folder of the label cache, None for no cache; processes that label.

    Raises
    ------
    CapabilityError
        In a prediction: the prior gave no label.
    """

    def __init__(
        self,
        base: TrainablePotential,
        prior: Prior | str,
        cache: Path | None = None,
        workers: int = 1,
    ) -> None:
        super().__init__(base)
        self.model = base
        self.prior = load_prior(prior) if isinstance(prior, str) else prior
        self.conservative = base.conservative and self.prior.conservative
        self._spec = prior if isinstance(prior, str) else prior.name
        self._cache = cache
        self._workers = workers

    @property
    def name(self) -> str:
        return f"{self.base.name} on top of {self.prior.name}"

    def predict(self, structures: Sequence[Atoms], head: str | None = None) -> list[Prediction]:
        known = label_in_folder(structures, self.prior, self._cache, self._workers)
        found = []
        for atoms, own, outcome in zip(
            structures, self.base.predict(structures, head), known, strict=True
        ):
            labels = require(outcome, atoms, self.prior)
            assert labels.energy is not None  # a prior gives it
            stress = None
            if own.stress is not None and labels.stress is not None:
                stress = labels.stress + own.stress
            energy, forces = labels.energy + own.energy, labels.known_forces + own.forces
            found.append(Prediction(energy, forces, features=own.features, stress=stress))
        return found

    def calculator(self, head: str | None = None) -> Calculator:
        return PotentialCalculator(self, head)

    def save(self, path: Path) -> None:
        """Write the model of the difference, with the prior's name beside it."""
        self.save_base(path, delta_rule(self._spec))


def require_same_levels(delta: Delta, potential: Potential, prior: Prior) -> None:
    """Raise unless a Δ-model is for this prior, and for the reference of ``potential``.

    Models of unknown level of theory are believed.
    """
    if delta.prior.level_of_theory != prior.level_of_theory:
        raise CapabilityError(
            f"the Δ-model is for {delta.prior.level_of_theory}, and the prior is "
            f"{prior.level_of_theory}: train one for it with  farfield train --strategy delta"
        )
    if not isinstance(potential, TrainablePotential):
        return
    here = potential.metadata.get("levels_of_theory", {}).get(potential.heads[0])
    there = delta.model.metadata.get("levels_of_theory", {}).get(delta.heads[0])
    if None not in (here, there) and there != between(here, prior.level_of_theory):
        raise CapabilityError(
            f"the model learned from {here}, the Δ-model {there}: both need the same reference"
        )
