"""An ASE calculator of any potential."""

from __future__ import annotations

import warnings
from typing import Any, final

from ase import Atoms
from ase.calculators.calculator import Calculator, all_changes

from farfield.errors import DirectForcesWarning
from farfield.potentials.contract import Potential


@final
class PotentialCalculator(Calculator):
    """ASE calculator: energy (eV), forces (eV/Å), and stress (eV/Å³) where the model has it.

    Of a model that predicts forces directly it warns
    (:class:`farfield.errors.DirectForcesWarning`): they are not the gradient of the energy.
    """

    implemented_properties = ["energy", "free_energy", "forces", "stress"]  # noqa: RUF012 - as ASE has it

    def __init__(self, potential: Potential, head: str | None = None) -> None:
        super().__init__()
        self.potential = potential
        self.head = potential.main_head(head)
        if not potential.conservative:
            warnings.warn(
                f"{potential.name} predicts forces directly, not as the gradient of its energy: "
                "dynamics will not conserve the energy, and line searches of an optimiser may fail",
                DirectForcesWarning,
                stacklevel=3,
            )

    def calculate(
        self,
        atoms: Atoms | None = None,
        properties: Any = None,
        system_changes: Any = all_changes,
    ) -> None:
        """Compute all properties of ``atoms`` in one call of the model."""
        super().calculate(atoms, properties, system_changes)
        assert self.atoms is not None  # set by ASE
        prediction = self.potential.predict([self.atoms], self.head)[0]
        self.results = {
            "energy": prediction.energy,
            "free_energy": prediction.energy,
            "forces": prediction.forces,
        }
        if prediction.stress is not None:
            self.results["stress"] = prediction.stress
