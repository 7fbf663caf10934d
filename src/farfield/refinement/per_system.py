"""A calculator for models that decide something per structure: it decides once per system."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any, final

from ase import Atoms
from ase.calculators.calculator import Calculator, all_changes

from farfield.potentials.wrapped import WrappedPotential


class PerStructure(WrappedPotential):
    """A model with a choice per structure, such as a radius, or how much to correct."""

    @abstractmethod
    def fixed(self, atoms: Atoms, head: str) -> Calculator:
        """Return a calculator with the choice for ``atoms``, whatever it then computes."""

    def calculator(self, head: str | None = None) -> Calculator:
        return PerSystemCalculator(self, self.main_head(head))


@final
class PerSystemCalculator(Calculator):
    """ASE calculator whose choice is made at its first call and kept for that system.

    A choice made anew at each step of a trajectory would make the energy jump. Another
    composition is another system.
    """

    implemented_properties = ["energy", "free_energy", "forces", "stress"]  # noqa: RUF012 - as ASE has it

    def __init__(self, potential: PerStructure, head: str) -> None:
        super().__init__()
        self._potential = potential
        self._head = head
        self._fixed: Calculator | None = None
        self._system: tuple[int, ...] = ()

    def calculate(
        self,
        atoms: Atoms | None = None,
        properties: Any = None,
        system_changes: Any = all_changes,
    ) -> None:
        """Compute with the choice of this system."""
        super().calculate(atoms, properties, system_changes)
        assert self.atoms is not None  # set by ASE
        system = tuple(self.atoms.numbers)
        if self._fixed is None or system != self._system:
            self._fixed = self._potential.fixed(self.atoms, self._head)
            self._system = system
        self._fixed.calculate(self.atoms, properties, system_changes)
        self.results = dict(self._fixed.results)
