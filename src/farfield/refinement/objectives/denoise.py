"""Undo random displacements: an objective that needs no prior."""

from __future__ import annotations

from collections.abc import Sequence
from typing import final

import numpy as np
import torch
from ase import Atoms

from farfield.errors import CapabilityError
from farfield.potentials import TrainablePotential
from farfield.potentials.trainable import BatchPrediction
from farfield.refinement.objectives.objective import SampledObjective
from farfield.structures import Labels
from farfield.training import Sample, Targets, TrainingSettings, fit
from farfield.training.losses import forces_loss
from farfield.training.new_head import own_labels
from farfield.training.statistics import force_scale

HEAD = "denoise"
SPRING = 10.0  # eV/Å², by which a displaced atom is drawn back
HEAD_SAMPLES = 96  # displaced copies that the head is fitted to
HEAD_BATCH = 16
HEAD_EPOCHS = 10
HEAD_RATE = 0.01


@final
class DenoiseObjective(SampledObjective):
    """Squared error of the denoising head on freshly displaced copies, (eV/Å)².

    Each coordinate is displaced by normal noise d; the head's forces on the displaced copy are
    to be −k d, those of springs that draw the atoms back. See :func:`with_denoising_head`.

    Parameters
    ----------
    structures
        Test structures.
    batch_size
        Structures per step.
    noise
        Standard deviation of the noise, Å.
    weight
        Weight of the term.
    """

    name = "denoise"

    def __init__(
        self, structures: Sequence[Atoms], batch_size: int, noise: float, weight: float = 1.0
    ) -> None:
        empty = Labels(None, None)
        super().__init__([Sample(atoms, HEAD, empty) for atoms in structures], batch_size, weight)
        self._noise = noise

    def draw(self, random: np.random.Generator) -> list[Sample]:
        return [noisy(sample.atoms, self._noise, random) for sample in super().draw(random)]

    def term(
        self, samples: Sequence[Sample], prediction: BatchPrediction, target: Targets
    ) -> torch.Tensor:
        return forces_loss(prediction, target)


def noisy(atoms: Atoms, noise: float, random: np.random.Generator) -> Sample:
    """A displaced copy, with the forces that would draw it back as labels."""
    displacement = random.normal(0.0, noise, size=(len(atoms), 3))
    copy = atoms.copy()
    copy.positions += displacement
    return Sample(copy, HEAD, Labels(0.0, -SPRING * displacement))


def with_denoising_head(
    potential: TrainablePotential, structures: Sequence[Atoms], noise: float, seed: int
) -> TrainablePotential:
    """Return a copy with a head whose forces draw displaced atoms back.

    The head is a copy of the main head's readout, fitted with the representation as it is. An
    objective on it then has something to say of the representation alone, as the self-supervised
    head of test-time training has (Sun et al., arXiv 1909.13231). Its targets are those of
    denoising as pre-training (Zaidi et al., arXiv 2206.00133; Godwin et al., arXiv 2106.07971).

    Parameters
    ----------
    potential
        The model; it is not changed.
    structures
        What the head is fitted to: structures like those in training, if they are at hand.
        Labels are not read.
    noise
        Displacement of each coordinate, standard deviation, Å.
    seed
        Of displacements and batches.

    Raises
    ------
    CapabilityError
        The model's forces are all zero.
    """
    random = np.random.default_rng(seed)
    rounds = -(-HEAD_SAMPLES // len(structures))
    chosen = random.permutation(len(structures)).tolist() * rounds
    samples = [noisy(structures[place], noise, random) for place in chosen[:HEAD_SAMPLES]]
    known = potential.head_species(potential.heads[0])
    assert known is not None  # a trainable model tells
    own = force_scale(own_labels(potential, [sample.atoms for sample in samples]))
    if own == 0.0:
        raise CapabilityError(
            f"all forces of {potential.name} are zero here, and its denoising head starts from "
            "them: leave out the objective denoise"
        )
    scale = force_scale([sample.labels for sample in samples]) / own
    grown = potential.with_head(HEAD, dict.fromkeys(known, 0.0), scale)
    settings = TrainingSettings(
        epochs=HEAD_EPOCHS,
        batch_size=HEAD_BATCH,
        learning_rate=HEAD_RATE,
        energy_weight=0.0,
        ema_decay=0.9,
        seed=seed,
    )
    fit(grown, samples, settings, frozen=grown.representation_parameters().values())
    return grown
