"""Any ASE calculator as a potential: it predicts, and nothing else is known of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import final

import numpy as np
from ase import Atoms
from ase.calculators.calculator import Calculator, CalculatorError

from farfield.errors import CapabilityError, ModelError
from farfield.graphs import Graph, neighbour_graph
from farfield.potentials.contract import Capability, CutoffMode, Potential, Prediction
from farfield.structures import describe

MAIN = "main"


@final
class BlackBoxPotential(Potential):
    """An ASE calculator behind farfield's contract.

    Parameters
    ----------
    calculator
        Any ASE calculator with energies (eV) and forces (eV/Å).
    cutoff
        The radius to draw graphs with, Å, if you know the model's; None forbids graphs.
    """

    capabilities: frozenset[Capability] = frozenset()
    cutoff_modes: frozenset[CutoffMode] = frozenset()
    conservative = True

    def __init__(self, calculator: Calculator, cutoff: float | None = None) -> None:
        self._calculator = calculator
        self._cutoff = cutoff

    @property
    def name(self) -> str:
        return f"{type(self._calculator).__name__} (ASE calculator)"

    @property
    def cutoff(self) -> float | None:
        return self._cutoff

    @property
    def species(self) -> None:
        return None

    @property
    def heads(self) -> tuple[str, ...]:
        return (MAIN,)

    def graph(self, atoms: Atoms) -> Graph:
        if self._cutoff is None:
            raise CapabilityError(
                f"the cutoff of {self.name} is not known: give one with --cutoff (Å)"
            )
        return neighbour_graph(atoms, self._cutoff)

    def predict(self, structures: Sequence[Atoms], head: str | None = None) -> list[Prediction]:
        self.main_head(head)
        predictions = []
        for atoms in structures:
            copy = atoms.copy()
            copy.calc = self._calculator
            try:
                energy = float(copy.get_potential_energy())
                forces = np.asarray(copy.get_forces(), dtype=float)
            except (CalculatorError, NotImplementedError, KeyError, RuntimeError) as error:
                reason = " ".join(str(error).split())
                raise ModelError(f"{describe(atoms)}: {self.name} failed: {reason}") from error
            predictions.append(Prediction(energy, forces))
        return predictions

    def with_cutoff(self, cutoff: float, mode: CutoffMode) -> Potential:
        raise CapabilityError(
            f"{self.name} is a black box, its edges cannot be changed: radius refinement "
            "needs a model with an adapter (such as MACE)"
        )

    def calculator(self, head: str | None = None) -> Calculator:
        self.main_head(head)
        return self._calculator
