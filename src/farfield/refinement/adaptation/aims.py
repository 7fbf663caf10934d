"""What a model is to learn on test structures, and what it is judged by."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from ase import Atoms

from farfield.potentials import TrainablePotential
from farfield.refinement import gate
from farfield.refinement.adaptation.settings import TestTimeSettings
from farfield.refinement.objectives import (
    AnchorObjective,
    ConsistencyObjective,
    DenoiseObjective,
    DifferenceObjective,
    Disagreement,
    Objective,
    PriorObjective,
)
from farfield.refinement.objectives.denoise import noisy, with_denoising_head
from farfield.training import Sample, force_mae

HELD_OUT_COPIES = 4  # displaced copies of each structure, for the denoising error


@dataclass(frozen=True)
class Aims:
    """Objectives and criterion of one adaptation.

    Attributes
    ----------
    potential
        The copy to adapt; for ``denoise`` it has a head more.
    learn
        What is minimised.
    error
        The criterion as a function of the model, eV/Å.
    criterion
        The same in words.
    notes
        What is to be told of the criterion.
    """

    potential: TrainablePotential
    learn: list[Objective]
    error: Callable[[TrainablePotential], float]
    criterion: gate.Criterion
    notes: list[str]


def aims_of(
    start: TrainablePotential,
    learn: Sequence[Sample],
    held_out: Sequence[Sample],
    training: Sequence[Atoms],
    settings: TestTimeSettings,
) -> Aims:
    """Build what ``settings`` asks for.

    Parameters
    ----------
    start
        The model; it is not changed.
    learn, held_out
        Test structures to learn from and to judge by; with the prior's labels where ``prior``
        is among the objectives.
    training
        Structures like those in training, which a denoising head is fitted to; where there are
        none it is fitted to those that are learned from.
    settings
        The objectives, their weights and the seed.
    """
    names, size = settings.objectives, settings.batch_size
    structures = [sample.atoms for sample in learn]
    judged = [sample.atoms for sample in held_out]
    potential = start.clone()
    if "denoise" in names:
        potential = with_denoising_head(
            start, training or structures, settings.noise, settings.seed
        )
    made: dict[str, Callable[[], Objective]] = {
        "prior": lambda: PriorObjective(learn, size, settings.prior_weight, settings.energy_weight),
        "difference": lambda: DifferenceObjective(start, learn, size, settings.difference_weight),
        "denoise": lambda: DenoiseObjective(
            structures, size, settings.noise, settings.denoise_weight
        ),
        "consistency": lambda: ConsistencyObjective(
            start, structures, size, settings.consistency_weight
        ),
        "anchor": lambda: AnchorObjective(start, settings.anchor_weight),
    }
    objectives = [made[name]() for name in names]
    if "prior" in names:
        error = partial(force_mae, samples=held_out)
        return Aims(potential, objectives, error, gate.PRIOR_ERROR, [])
    if "denoise" in names:
        random = np.random.default_rng((settings.seed, 1))
        copies = [noisy(a, settings.noise, random) for a in judged for _ in range(HELD_OUT_COPIES)]
        error = partial(force_mae, samples=copies)
        return Aims(potential, objectives, error, gate.DENOISING_ERROR, [_note("denoise")])
    disagreement = Disagreement(start, judged)
    return Aims(potential, objectives, disagreement, gate.DISAGREEMENT, [_note("consistency")])


def _note(name: str) -> str:
    return (
        f"without a prior the steps were judged by the objective {name} itself on held-out "
        "structures, which does not show that the forces became better"
    )
