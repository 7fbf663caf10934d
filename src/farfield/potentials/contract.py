"""The contract of a model.

:class:`Potential` is what every model can do: say which graph it sees, and predict; what
training and refinement need besides is in :mod:`farfield.potentials.trainable`. A model that
cannot do something does not declare the capability, and :func:`require` then says so by name.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Literal

import numpy as np
import numpy.typing as npt
from ase import Atoms
from ase.calculators.calculator import Calculator
from ase.data import chemical_symbols

from farfield.errors import CapabilityError, ModelError, did_you_mean
from farfield.graphs import Graph
from farfield.structures import describe

Floats = npt.NDArray[np.float64]
CutoffMode = Literal["truncate", "taper", "rescale"]


class Capability(Enum):
    """What a potential may offer beyond predictions; the value says it in words."""

    FEATURES = "node features of its representation"
    TRAINING = "differentiable predictions and access to its parameters"
    HEADS = "adding an output head"
    EXPORT = "export to a native model file"


@dataclass(frozen=True)
class Prediction:
    """What a model says of one structure of N atoms.

    Attributes
    ----------
    energy
        eV.
    forces
        Shape (N, 3), eV/Å.
    features
        Node features of the representation, invariant to rotation, shape (N, F), or None.
    stress
        Shape (6,), eV/Å³, ASE's sign and Voigt order; None for a molecule or where the model
        has none.
    """

    energy: float
    forces: Floats
    features: Floats | None = None
    stress: Floats | None = None


class Potential(ABC):
    """A model of energies (eV) and forces (eV/Å)."""

    capabilities: frozenset[Capability]
    cutoff_modes: frozenset[CutoffMode]
    conservative: bool

    @property
    @abstractmethod
    def name(self) -> str:
        """A short name for reports, such as ``"MACE (52k parameters)"``."""

    @property
    @abstractmethod
    def cutoff(self) -> float | None:
        """Radius of the model's own graph, Å; None when the model does not tell."""

    @property
    @abstractmethod
    def species(self) -> frozenset[int] | None:
        """Atomic numbers the model can take; None when it does not tell."""

    @property
    @abstractmethod
    def heads(self) -> tuple[str, ...]:
        """Names of its output heads, the main head first."""

    @abstractmethod
    def graph(self, atoms: Atoms) -> Graph:
        """Return the graph that the model itself sees: its cutoff, periodic, its neighbour cap.

        Raises
        ------
        CapabilityError
            If the model has no known cutoff.
        """

    @abstractmethod
    def predict(self, structures: Sequence[Atoms], head: str | None = None) -> list[Prediction]:
        """Predict each structure, without gradients, by ``head`` (default: the main head).

        Raises
        ------
        ModelError
            An unknown head, or an element the model does not know.
        """

    @abstractmethod
    def with_cutoff(self, cutoff: float, mode: CutoffMode) -> Potential:
        """Return a view of this model with another cutoff (Å); the weights are shared.

        Raises
        ------
        CapabilityError
            If ``mode`` is not among :attr:`cutoff_modes`.
        """

    @abstractmethod
    def calculator(self, head: str | None = None) -> Calculator:
        """Return an ASE calculator of this model."""

    def main_head(self, head: str | None) -> str:
        """Return ``head`` if the model has it, the main head for None; else raise."""
        if head is None:
            return self.heads[0]
        if head not in self.heads:
            raise ModelError(f"{self.name} has no head {head!r}{did_you_mean(head, self.heads)}")
        return head

    def head_species(self, head: str) -> frozenset[int] | None:
        """Atomic numbers that ``head`` can take: all of :attr:`species`, or fewer."""
        return self.species

    def require_species(self, structures: Sequence[Atoms], head: str | None = None) -> None:
        """Raise if a structure holds an element that the model, or ``head`` of it, cannot take."""
        if self.species is None:
            return
        told = self.head_species(self.main_head(head))
        known = self.species if told is None else told
        for atoms in structures:
            unknown = set(atoms.numbers.tolist()) - self.species
            if unknown:
                raise ModelError(
                    f"{describe(atoms)} holds {_symbols(unknown)}, which {self.name} does not "
                    f"know at all (it knows {_symbols(self.species)}): no refinement can help; "
                    "use a model that has it"
                )
            unknown = set(atoms.numbers.tolist()) - known
            if unknown:
                raise ModelError(
                    f"{describe(atoms)} holds {_symbols(unknown)}, and the head {head!r} of "
                    f"{self.name} has no energy of that isolated atom (it knows "
                    f"{_symbols(known)}): use another head"
                )


def _symbols(numbers: Iterable[int]) -> str:
    return ", ".join(chemical_symbols[number] for number in sorted(numbers))


def require(potential: Potential, capability: Capability, purpose: str) -> None:
    """Raise :class:`CapabilityError` unless ``potential`` declares ``capability``."""
    if capability not in potential.capabilities:
        raise CapabilityError(
            f"{purpose} needs {capability.value}, which {potential.name} does not offer: "
            "use a model with an adapter that does (such as MACE), or a method that needs "
            "only predictions"
        )
