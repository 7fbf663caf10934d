"""A model that predicts each structure at a radius of its own, whoever chooses it."""

from __future__ import annotations

from abc import abstractmethod
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import final

from ase import Atoms
from ase.calculators.calculator import Calculator

from farfield.errors import CapabilityError
from farfield.graphs import Graph
from farfield.potentials import Potential, Prediction
from farfield.potentials.contract import CutoffMode
from farfield.refinement.per_system import PerStructure


class AtRadii(PerStructure):
    """A model with a choice of the radius.

    The calculator keeps the radius of its first structure, so that energies do not jump along a
    trajectory. In the mode ``"truncate"`` they jump all the same, where an edge crosses the radius.

    Parameters
    ----------
    base
        A model with this cutoff mode.
    mode
        How the radius is changed.
    training_radius
        The model's own, Å.
    """

    def __init__(self, base: Potential, mode: CutoffMode, training_radius: float) -> None:
        super().__init__(base)
        self._mode = mode
        self._views: dict[float, Potential] = {training_radius: base}

    @abstractmethod
    def radii(self, structures: Sequence[Atoms]) -> list[float]:
        """The radius chosen for each structure, Å."""

    @abstractmethod
    def save(self, path: Path) -> None:
        """Write the base model, with what chooses its radii beside it."""

    @property
    def name(self) -> str:
        return f"{self.base.name}, radius refined"

    def graph(self, atoms: Atoms) -> Graph:
        return self.at(self.radii([atoms])[0]).graph(atoms)

    def predict(self, structures: Sequence[Atoms], head: str | None = None) -> list[Prediction]:
        groups: dict[float, list[int]] = defaultdict(list)
        for index, radius in enumerate(self.radii(structures)):
            groups[radius].append(index)
        found: dict[int, Prediction] = {}
        for radius, indices in groups.items():
            chosen = [structures[index] for index in indices]
            predictions = self.at(radius).predict(chosen, head)
            found.update(zip(indices, predictions, strict=True))
        return [found[index] for index in range(len(structures))]

    @final
    def at(self, radius: float) -> Potential:
        """The model at one radius (Å)."""
        if radius not in self._views:
            self._views[radius] = self.base.with_cutoff(radius, self._mode)
        return self._views[radius]

    def with_cutoff(self, cutoff: float, mode: CutoffMode) -> Potential:
        raise CapabilityError(f"{self.name} chooses its own radius: use the model it was made from")

    def fixed(self, atoms: Atoms, head: str) -> Calculator:
        return self.at(self.radii([atoms])[0]).calculator(head)
