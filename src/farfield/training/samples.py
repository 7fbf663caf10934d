"""Training samples: a structure, the head it teaches, and the labels of that head."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from ase import Atoms

from farfield.potentials.trainable import TrainablePotential
from farfield.structures import Labels


@dataclass(frozen=True)
class Sample:
    """One structure with the labels of one head; the same structure may teach two heads."""

    atoms: Atoms
    head: str
    labels: Labels


@dataclass(frozen=True)
class Targets:
    """The labels of B samples of N atoms in all, as tensors.

    Attributes
    ----------
    energy
        Shape (B,), eV, float64.
    forces
        Shape (N, 3), eV/Å, in the model's type.
    counts
        Number of atoms of each sample, shape (B,).
    """

    energy: torch.Tensor
    forces: torch.Tensor
    counts: torch.Tensor


def targets(samples: Sequence[Sample], potential: TrainablePotential) -> Targets:
    """Collect the labels of ``samples``, whose energies and forces must be there."""
    device = potential.device
    forces = np.concatenate([sample.labels.known_forces for sample in samples])
    energies = [sample.labels.energy for sample in samples]
    counts = [len(sample.atoms) for sample in samples]
    return Targets(
        energy=torch.tensor(energies, dtype=torch.float64, device=device),
        forces=torch.tensor(forces, dtype=potential.dtype, device=device),
        counts=torch.tensor(counts, device=device),
    )
