"""The contract of a model.

:class:`Potential` is what every model can do: say which graph it sees, and predict.
:class:`TrainablePotential` adds what training and refinement need. A model that cannot do
something does not declare the capability, and :func:`require` then says so by name.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import torch
from ase import Atoms
from ase.calculators.calculator import Calculator
from ase.data import chemical_symbols

from farfield.errors import CapabilityError, ModelError, did_you_mean
from farfield.graphs import Graph
from farfield.structures import describe

Floats = npt.NDArray[np.float64]
CutoffMode = Literal["truncate", "taper", "rescale"]
State = dict[str, torch.Tensor]


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


@dataclass(frozen=True)
class BatchPrediction:
    """What a model says of B structures of N atoms in all, as tensors with gradients.

    Attributes
    ----------
    energy
        Shape (B,), eV.
    forces
        Shape (N, 3), eV/Å.
    features
        Shape (N, F), invariant to rotation.
    """

    energy: torch.Tensor
    forces: torch.Tensor
    features: torch.Tensor


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


class TrainablePotential(Potential):
    """A potential whose parameters can be moved.

    Parameters fall into two declared parts: the representation, which all heads share, and
    each head's own; together they are complete, and they are disjoint. Where heads share a
    tensor (MACE's readouts), it belongs to the heads.

    Attributes
    ----------
    metadata
        How it was trained: plain values, kept in its file.
    """

    metadata: dict[str, Any]

    @property
    @abstractmethod
    def dtype(self) -> torch.dtype:
        """Floating-point type of its parameters and outputs."""

    @property
    @abstractmethod
    def device(self) -> torch.device:
        """Device of its parameters."""

    @abstractmethod
    def batch(self, structures: Sequence[Atoms], heads: str | Sequence[str]) -> Any:
        """Collate structures into the model's own input.

        ``heads`` is one name for all, or one name per structure: a batch may mix heads.
        What is returned is only ever handed back to :meth:`forward`, and may be kept.
        """

    @abstractmethod
    def forward(self, batch: Any, *, training: bool) -> BatchPrediction:
        """Predict a batch; with ``training``, gradients reach the parameters."""

    @abstractmethod
    def representation_parameters(self) -> dict[str, torch.nn.Parameter]:
        """Parameters of the shared representation, by name, in the order of the layers."""

    def early_parameters(self) -> dict[str, torch.nn.Parameter]:
        """Parameters of the embeddings and the first layer, a part of the representation's.

        Raises
        ------
        CapabilityError
            The model has a single layer, or its adapter does not declare this part.
        """
        raise CapabilityError(
            f"{self.name} has no declared early part of its representation (a single layer, or an "
            "adapter that does not tell): move the whole representation, or none of it"
        )

    @abstractmethod
    def head_parameters(self) -> dict[str, torch.nn.Parameter]:
        """Parameters of the output heads, by name."""

    @abstractmethod
    def state(self) -> State:
        """Return a copy of all parameters and buffers."""

    @abstractmethod
    def restore(self, state: State) -> None:
        """Set all parameters and buffers to ``state``, bit for bit."""

    @abstractmethod
    def clone(self) -> TrainablePotential:
        """Return an independent copy."""

    @abstractmethod
    def with_head(
        self, name: str, energies: dict[int, float], scale: float = 1.0
    ) -> TrainablePotential:
        """Return a copy with one more head; the old heads' outputs are unchanged to rounding.

        The new head starts from the main head's weights: its forces, and its energy beyond
        the isolated atoms', are ``scale`` times the main head's.

        Parameters
        ----------
        name
            The new head.
        energies
            Its isolated-atom energies, eV, by atomic number. It does not know an element that
            is left out, see :meth:`head_species`, though the model does.
        scale
            How large its forces are, relative to the main head's.
        """

    @abstractmethod
    def save(self, path: Path, rule: dict[str, Any] | None = None) -> None:
        """Write the model in farfield's safe format (configuration and tensors, no code).

        ``rule`` holds plain values: a refinement to apply at every prediction.
        """

    @abstractmethod
    def export(self, path: Path, head: str | None = None) -> None:
        """Write the model's native file with one head, for use without farfield."""


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


def require_trainable(potential: Potential, purpose: str) -> TrainablePotential:
    """Return ``potential`` as a trainable one, or raise :class:`CapabilityError`."""
    require(potential, Capability.TRAINING, purpose)
    assert isinstance(potential, TrainablePotential)
    return potential
