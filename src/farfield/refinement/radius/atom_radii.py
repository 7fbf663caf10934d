"""A radius for every atom, by target coordination: smooth in the positions, and conservative."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import final

import numpy as np
from ase import Atoms
from ase.calculators.calculator import Calculator

from farfield.errors import CapabilityError
from farfield.graphs import Graph, envelope
from farfield.potentials import Potential, Prediction
from farfield.potentials.calculator import PotentialCalculator
from farfield.potentials.contract import CutoffMode
from farfield.potentials.mace import MacePotential
from farfield.potentials.mace.atom_radii import with_atom_radii
from farfield.potentials.wrapped import WrappedPotential

LOWEST, LARGEST = 0.6, 1.2  # of the trained radius


@final
class AtomRadii(WrappedPotential):
    """A MACE in which every atom's radius gives it the coordination of training.

    The radius of an atom is the solution of an equation in the distances of its neighbours, and
    the forces hold the derivative of that solution, so energy is conserved in a simulation though
    the radii move. See :mod:`farfield.potentials.mace.atom_radii`.

    A research option: in the study it gains no more than one radius per structure.

    Parameters
    ----------
    base
        A MACE.
    targets
        Coordination of each element in training, by atomic number
        (:func:`coordination_by_element`).
    scale
        All targets are multiplied by it: below one, radii shrink.
    stiffness
        How many neighbours it takes to move a radius.

    Raises
    ------
    CapabilityError
        The model is no MACE, or one that cannot be tapered.
    """

    def __init__(
        self,
        base: Potential,
        targets: Mapping[int, float],
        *,
        scale: float = 1.0,
        stiffness: float = 1.0,
    ) -> None:
        if not isinstance(base, MacePotential):
            raise CapabilityError(
                f"{base.name} takes no radius per atom, only a MACE does: use one radius per "
                "structure"
            )
        super().__init__(base)
        wanted = {number: scale * target for number, target in targets.items()}
        lowest, largest = LOWEST * base.cutoff, LARGEST * base.cutoff
        module = with_atom_radii(base.module, wanted, lowest, largest, stiffness)
        self._model = MacePotential(module, base.metadata)

    @property
    def name(self) -> str:
        return f"{self.base.name}, a radius per atom"

    @property
    def cutoff(self) -> float | None:
        return self._model.cutoff

    def graph(self, atoms: Atoms) -> Graph:
        return self._model.graph(atoms)

    def predict(self, structures: Sequence[Atoms], head: str | None = None) -> list[Prediction]:
        return self._model.predict(structures, head)

    def with_cutoff(self, cutoff: float, mode: CutoffMode) -> Potential:
        raise CapabilityError(f"{self.name} has its radii already: use the model it was made from")

    def calculator(self, head: str | None = None) -> Calculator:
        return PotentialCalculator(self, head)


def coordination_by_element(graphs: Iterable[Graph]) -> dict[int, float]:
    """Mean sum of the envelopes of an atom's edges, by atomic number."""
    sums: dict[int, float] = defaultdict(float)
    counts: dict[int, int] = defaultdict(int)
    for graph in graphs:
        weights = envelope(graph.distances, graph.cutoff)
        each = np.bincount(graph.senders, weights, minlength=graph.n_atoms)
        for number, value in zip(graph.numbers.tolist(), each.tolist(), strict=True):
            sums[number] += value
            counts[number] += 1
    return {number: sums[number] / counts[number] for number in sums}
