"""Two heads on one structure: they share a batch, and the difference of their errors is learned.

A corrected model predicts F_prior + (F_main - F_prior-head): its error is the difference of the
two heads' errors. Each may be small while their difference is no smaller, since nothing in the
sum of two losses asks them to err alike; this loss does, and so trains what is used.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import torch

from farfield.potentials.trainable import BatchPrediction
from farfield.training.samples import Sample, Targets

Unit = tuple[Sample, ...]


def units(samples: Sequence[Sample], together: bool) -> list[Unit]:
    """Samples that must share a batch: those of one structure if ``together``, else each alone."""
    if not together:
        return [(sample,) for sample in samples]
    found: dict[int, list[Sample]] = {}
    for sample in samples:
        found.setdefault(id(sample.atoms), []).append(sample)
    return [tuple(group) for group in found.values()]


def pair_sizes(batch: Iterable[Unit]) -> tuple[int, int]:
    """Return the number of structures of two heads, and of their atoms."""
    sizes = [len(unit[0].atoms) for unit in batch if len(unit) == 2]
    return len(sizes), sum(sizes)


def difference_loss(
    prediction: BatchPrediction,
    target: Targets,
    batch: Sequence[Unit],
    energy_weight: float,
    forces_weight: float,
) -> torch.Tensor:
    """Weighted mean squares of the differences of the two heads' errors.

    Parameters
    ----------
    prediction, target
        Of the samples of all units, in their order.
    batch
        Those units; one of a single sample counts nothing.
    energy_weight, forces_weight
        1/eV² for the energy per atom, Å²/eV² for the force components.
    """
    energies = (prediction.energy - target.energy) / target.counts
    forces = (prediction.forces - target.forces).split(target.counts.tolist())
    of_energy, of_forces, place = [], [], 0
    for unit in batch:
        if len(unit) == 2:
            of_energy.append(energies[place] - energies[place + 1])
            of_forces.append(forces[place] - forces[place + 1])
        place += len(unit)
    if not of_energy:
        return prediction.forces.new_zeros(())
    energy = torch.stack(of_energy).pow(2).mean().to(prediction.forces.dtype)
    return energy_weight * energy + forces_weight * torch.cat(of_forces).pow(2).mean()
