"""The contract of a model whose parameters can be moved: what training and refinement need."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from ase import Atoms

from farfield.errors import CapabilityError
from farfield.potentials.contract import Capability, Potential, require

State = dict[str, torch.Tensor]


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


def require_trainable(potential: Potential, purpose: str) -> TrainablePotential:
    """Return ``potential`` as a trainable one, or raise :class:`CapabilityError`."""
    require(potential, Capability.TRAINING, purpose)
    assert isinstance(potential, TrainablePotential)
    return potential
