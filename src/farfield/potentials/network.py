"""What an architecture must give, so that :mod:`farfield.potentials.headed` does the rest.

A network computes node features once, and per head a readout gives each atom an energy. The
isolated-atom energies and the size of each head stand in a table of their own.
"""

from __future__ import annotations

import copy
import math
from abc import abstractmethod
from dataclasses import dataclass
from pathlib import Path
from typing import Any, final

import torch

from farfield.potentials.batches import Batch

N_ELEMENTS = 119  # rows of the tables, by atomic number; row 0 is of no element


@final
@dataclass(frozen=True)
class Local:
    """What a network says of N atoms, in units of each head's scale.

    Attributes
    ----------
    energies
        Energy of each atom beyond the isolated atom's, shape (N,).
    features
        Node features, invariant to rotation, shape (N, F).
    forces
        Shape (N, 3), 1/Å; None where forces are the gradient of the energy.
    """

    energies: torch.Tensor
    features: torch.Tensor
    forces: torch.Tensor | None = None


@final
class HeadTable(torch.nn.Module):
    """Names, isolated-atom energies and scales of the heads.

    Parameters
    ----------
    energies
        For each head, main head first: isolated-atom energies (eV) by atomic number. A head
        does not know an element that is left out.
    scales
        For each head, the size of its forces, eV/Å.

    Attributes
    ----------
    names
        Of the heads.
    energies
        Shape (heads, elements), eV, float64; not a number where unknown.
    scales
        Shape (heads,), float64.
    """

    energies: torch.Tensor
    scales: torch.Tensor

    def __init__(self, energies: dict[str, dict[int, float]], scales: dict[str, float]) -> None:
        super().__init__()
        self.names: tuple[str, ...] = ()
        self.register_buffer("energies", torch.empty(0, N_ELEMENTS, dtype=torch.float64))
        self.register_buffer("scales", torch.empty(0, dtype=torch.float64))
        for name in energies:
            self.add(name, energies[name], scales[name])

    def add(self, name: str, energies: dict[int, float], scale: float) -> None:
        """Append a head."""
        row = [energies.get(number, math.nan) for number in range(N_ELEMENTS)]
        self.names = (*self.names, name)
        self.energies = torch.cat([self.energies, self.energies.new_tensor([row])])
        self.scales = torch.cat([self.scales, self.scales.new_tensor([scale])])

    def species(self, name: str) -> frozenset[int]:
        """Atomic numbers that a head knows."""
        row = self.energies[self.names.index(name)]
        return frozenset(torch.nonzero(torch.isfinite(row)).flatten().tolist())


class Network(torch.nn.Module):
    """An architecture with a readout per head.

    Attributes
    ----------
    architecture
        Its name in model files and on the command line.
    title
        Its name in reports.
    conservative
        Whether forces are the gradient of the energy.
    cutoff
        Radius that it was built for, Å.
    reaches
        Whether edges longer than that would have weight, for want of an envelope.
    exports
        Whether it has a native file.
    table
        Names, energies and scales of the heads.
    readouts
        One per head, in the same order.
    """

    architecture: str
    title: str
    conservative: bool
    cutoff: float
    reaches: bool
    exports: bool
    table: HeadTable
    readouts: torch.nn.ModuleList

    @abstractmethod
    def forward(self, batch: Batch) -> Local:
        """Compute a batch that may mix heads."""

    @abstractmethod
    def shared_parameters(self) -> dict[str, torch.nn.Parameter]:
        """Parameters of the representation by name, those of earlier layers first."""

    def early_parameters(self) -> dict[str, torch.nn.Parameter]:
        """Those of them that belong to the embeddings and the first layer, or none."""
        return {}

    @abstractmethod
    def config(self) -> dict[str, Any]:
        """Plain values from which the adapter builds it again."""

    def export(self, path: Path, head: str) -> None:
        """Write a native file with one head, if :attr:`exports`."""
        raise NotImplementedError

    def n_parameters(self) -> int:
        """Number of parameters, those of unknown elements left out."""
        return sum(parameter.numel() for parameter in self.parameters())

    def add_head(self, name: str, energies: dict[int, float], scale: float) -> None:
        """Append a head whose readout is the main head's, and its size ``scale`` times that."""
        self.readouts.append(copy.deepcopy(self.readouts[0]))
        self.table.add(name, energies, scale * float(self.table.scales[0]))
