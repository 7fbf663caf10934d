"""The loss of energies and forces."""

from __future__ import annotations

import torch

from farfield.potentials.trainable import BatchPrediction
from farfield.training.samples import Targets


def forces_loss(prediction: BatchPrediction, target: Targets) -> torch.Tensor:
    """Mean squared error of the force components, (eV/Å)²."""
    return (prediction.forces - target.forces).pow(2).mean()


def energy_loss(prediction: BatchPrediction, target: Targets) -> torch.Tensor:
    """Mean squared error of the energy per atom, eV²."""
    return ((prediction.energy - target.energy) / target.counts).pow(2).mean()


def energy_forces_loss(
    prediction: BatchPrediction, target: Targets, energy_weight: float, forces_weight: float
) -> torch.Tensor:
    """Weighted sum of the two, in the forces' type."""
    energy = energy_loss(prediction, target).to(prediction.forces.dtype)
    return energy_weight * energy + forces_weight * forces_loss(prediction, target)
