"""A model made of another one: whatever is not changed is said by that one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ase import Atoms

from farfield.errors import CapabilityError
from farfield.graphs import Graph
from farfield.potentials.contract import Capability, CutoffMode, Potential
from farfield.potentials.trainable import TrainablePotential


class WrappedPotential(Potential):
    """A model that changes another one's graphs or predictions, and no more.

    It cannot be trained, gets no other cutoff, and offers features if the other one does.

    Parameters
    ----------
    base
        The model it is made of; cutoff, species, heads and graphs are its.
    """

    cutoff_modes: frozenset[CutoffMode] = frozenset()

    def __init__(self, base: Potential) -> None:
        self.base = base
        self.capabilities = base.capabilities & {Capability.FEATURES}
        self.conservative = base.conservative

    @property
    def cutoff(self) -> float | None:
        return self.base.cutoff

    @property
    def species(self) -> frozenset[int] | None:
        return self.base.species

    @property
    def heads(self) -> tuple[str, ...]:
        return self.base.heads

    def head_species(self, head: str) -> frozenset[int] | None:
        return self.base.head_species(head)

    def graph(self, atoms: Atoms) -> Graph:
        return self.base.graph(atoms)

    def with_cutoff(self, cutoff: float, mode: CutoffMode) -> Potential:
        raise CapabilityError(f"{self.name} has no cutoff of its own: change the model it is of")

    def save_base(self, path: Path, rule: dict[str, Any]) -> None:
        """Write the base model, with the plain values of what is changed beside it."""
        if not isinstance(self.base, TrainablePotential):
            raise CapabilityError(f"{self.base.name} cannot be saved")
        self.base.save(path, rule=rule)
