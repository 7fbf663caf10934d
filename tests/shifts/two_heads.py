"""A model with a prior head, whose both heads err alike, and the prior itself: all by hand."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, final

import numpy as np
from ase import Atoms
from ase.calculators.calculator import Calculator, all_changes

from farfield.errors import CapabilityError
from farfield.graphs import Graph, neighbour_graph
from farfield.potentials import Potential, Prediction
from farfield.potentials.calculator import PotentialCalculator
from farfield.priors import Prior
from farfield.structures import Labels, attach, labels_of
from tests.shifts.made import CUTOFF, seen

RATIO = 1.3  # of the main head's error to the prior head's


def shared_error(atoms: Atoms) -> np.ndarray:
    """Error of the prior head, shape (N, 3): of another size, 1 to 4, for each structure."""
    size = 1.0 + 3.0 * (17.0 * np.linalg.norm(atoms.get_all_distances()) % 1.0)
    return size * seen(atoms).residual


class ToyCalculator(Calculator):
    implemented_properties = ("energy", "forces")

    def calculate(self, atoms=None, properties=None, system_changes=all_changes) -> None:
        super().calculate(atoms, properties, system_changes)
        self.results = {"energy": 0.0, "forces": seen(self.atoms).forces}


@final
class ToyPrior(Prior):
    """Takes no chlorine."""

    name = "toy"
    level_of_theory = "toy"
    elements = frozenset({1, 6, 8})
    periodic = True
    conservative = False
    cost: Literal["cheap", "moderate", "costly"] = "cheap"

    def calculator(self) -> Calculator:
        return ToyCalculator()


@final
class TwoHeads(Potential):
    """Both heads are off by the shared error, the main head by 1.3 times it."""

    name = "two heads"
    cutoff = CUTOFF
    species = None
    capabilities = frozenset()
    cutoff_modes = frozenset()
    conservative = False

    def __init__(self, prior: str = "toy") -> None:
        self._prior = prior

    @property
    def heads(self) -> tuple[str, ...]:
        return ("reference", self._prior)

    def graph(self, atoms: Atoms) -> Graph:
        return neighbour_graph(atoms, CUTOFF)

    def predict(self, structures: Sequence[Atoms], head: str | None = None) -> list[Prediction]:
        assert all(labels_of(atoms) is None for atoms in structures)  # nobody hands it a label
        ratio = RATIO if self.main_head(head) == "reference" else 1.0
        return [
            Prediction(0.0, seen(atoms).forces + ratio * shared_error(atoms))
            for atoms in structures
        ]

    def with_cutoff(self, cutoff: float, mode: str) -> Potential:
        raise CapabilityError("its edges cannot be changed")

    def calculator(self, head: str | None = None) -> Calculator:
        return PotentialCalculator(self, head)


MODEL = TwoHeads()


def referenced(structures: list[Atoms]) -> list[Atoms]:
    """With the reference labels from which the main head is off by 1.3 times the error."""
    for atoms in structures:
        attach(atoms, Labels(0.0, seen(atoms).forces, level_of_theory="toy reference"))
    return structures
