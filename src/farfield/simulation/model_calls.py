"""Energies and forces of several structures, in as few calls of the model as it allows."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import final

import numpy as np
from ase import Atoms
from ase.calculators.calculator import Calculator, CalculatorError, all_changes

from farfield.errors import DirectForcesWarning, FarfieldError, ModelError
from farfield.potentials import Potential, Prediction
from farfield.potentials.calculator import PotentialCalculator
from farfield.refinement.per_system import PerStructure
from farfield.structures import describe

Answer = Prediction | FarfieldError


@final
class ModelCalls:
    """A model, asked about many simulations at once.

    What a model decides per structure, such as a radius or how much to correct, it decides
    once for each starting structure. Where that leaves one plain model for several
    simulations, these are one batch; a black box computes one structure after another.

    Parameters
    ----------
    potential, head
        The model; None takes the main head.
    starts
        Starting structures.
    start_of
        For each simulation, the index of its starting structure.
    stress
        Whether the stress is needed.
    """

    def __init__(
        self,
        potential: Potential,
        head: str | None,
        starts: Sequence[Atoms],
        start_of: Sequence[int],
        *,
        stress: bool,
    ) -> None:
        name = potential.main_head(head)
        potential.require_species(starts, name)
        made: list[Calculator] = []
        with warnings.catch_warnings():  # the run itself says so, once
            warnings.simplefilter("ignore", DirectForcesWarning)
            for start in starts:
                if isinstance(potential, PerStructure):
                    made.append(potential.fixed(start, name))
                else:
                    made.append(made[0] if made else potential.calculator(name))
        self._calculators = [made[index] for index in start_of]
        self._properties = ["energy", "forces", "stress"] if stress else ["energy", "forces"]

    def strict(self, indices: Sequence[int], structures: Sequence[Atoms]) -> list[Prediction]:
        """Predict the structure of each simulation; whatever goes wrong is raised."""
        found: dict[int, Prediction] = {}
        batches: dict[tuple[int, str], list[int]] = {}
        for place, index in enumerate(indices):
            calculator = self._calculators[index]
            if isinstance(calculator, PotentialCalculator):
                key = (id(calculator.potential), calculator.head)
                batches.setdefault(key, []).append(place)
            else:
                found[place] = self._single(calculator, structures[place])
        for places in batches.values():
            shared = self._calculators[indices[places[0]]]
            assert isinstance(shared, PotentialCalculator)
            together = [structures[place] for place in places]
            answers = shared.potential.predict(together, shared.head)
            found.update(zip(places, answers, strict=True))
        return [self._complete(found[place], structures[place]) for place in range(len(indices))]

    def __call__(self, indices: Sequence[int], structures: Sequence[Atoms]) -> list[Answer]:
        """Predict; where the model fails on a structure, that one's answer is the error."""
        try:
            return list(self.strict(indices, structures))
        except Exception as error:  # noqa: BLE001 - models raise any type on broken structures
            if len(indices) == 1:
                return [_failure(error)]
        return [self([index], [atoms])[0] for index, atoms in zip(indices, structures, strict=True)]

    def _single(self, calculator: Calculator, atoms: Atoms) -> Prediction:
        try:
            calculator.calculate(atoms, self._properties, list(all_changes))
        except (CalculatorError, NotImplementedError, KeyError, RuntimeError) as error:
            reason = " ".join(str(error).split())
            raise ModelError(f"{describe(atoms)}: the model failed: {reason}") from error
        results = calculator.results
        stress = results.get("stress")
        return Prediction(
            float(results["energy"]),
            np.array(results["forces"], dtype=float),
            stress=None if stress is None else np.array(stress, dtype=float),
        )

    def _complete(self, prediction: Prediction, atoms: Atoms) -> Prediction:
        if prediction.stress is None and "stress" in self._properties:
            raise ModelError(
                f"{describe(atoms)}: the model gives no stress, which npt needs: use nvt, or "
                "another model"
            )
        return prediction


def _failure(error: Exception) -> FarfieldError:
    if isinstance(error, FarfieldError):
        return error
    reason = " ".join(str(error).split())
    return ModelError(f"the model failed: {type(error).__name__}: {reason}"[:300])
