"""What the verb ``train`` learns from: labels of the prior, the model to start with."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch
from ase import Atoms

from farfield.errors import ConfigError
from farfield.potentials import Potential, TrainablePotential, require_trainable
from farfield.potentials.create import create
from farfield.potentials.loading import moved
from farfield.priors import Failure, Prior
from farfield.refinement import load_model
from farfield.structures import REFERENCE, Labels, attach, describe, require_labels, without_labels
from farfield.training import Sample, TrainingSettings
from farfield.training.delta import DELTA_HEAD, differences
from farfield.training.distributed import Processes
from farfield.training.statistics import isolated_atoms
from farfield.training.training_set import TrainingSet
from farfield.verbs.inputs import prior_labels


def starting(model: Potential | str, dtype: torch.dtype | None, device: str) -> TrainablePotential:
    """A copy of the model to start from, of this type (None: its own) and on this device."""
    found = require_trainable(load_model(model, dtype=dtype, device=device), "training")
    if dtype in (None, found.dtype) and torch.device(device) == found.device:
        return found.clone()
    return moved(found, dtype, device)


def started(
    start: TrainablePotential | None,
    training_set: TrainingSet,
    architecture: str,
    settings: TrainingSettings,
    device: str,
) -> TrainablePotential:
    """A new model on a device, or the given one with the heads that it lacks."""
    if start is None:
        made = create(
            architecture,
            settings.architecture,
            structures=training_set.structures,
            heads=training_set.energies,
            scales=training_set.scales,
            seed=settings.seed,
        )
        return made if device == "cpu" else moved(made, device=device)
    start.require_species(training_set.structures)
    for head, energies in training_set.energies.items():
        if head not in start.heads:
            scale = training_set.scales[head] / training_set.scales[start.heads[0]]
            start = start.with_head(head, energies, scale)
    return start


def with_prior_labels(
    structures: Sequence[Atoms], prior: Prior, workers: int, cache: Path | str | None
) -> Sequence[Atoms]:
    """Attach the prior's labels to the structures, every one of which must have some."""
    outcomes = _prior_labels(structures, prior, workers, cache)
    _attach(structures, outcomes, prior)
    return structures


def for_pretraining(structures: Sequence[Atoms], labelled: Sequence[Atoms]) -> list[Atoms]:
    """Copies without labels, the isolated atoms of the labelled structures after them."""
    alone = isolated_atoms(labelled)
    atoms = [each for each, single in zip(labelled, alone, strict=True) if single]
    return without_labels([*structures, *atoms])


def for_retrofit(
    structures: Sequence[Atoms],
    potential: TrainablePotential,
    prior: Prior,
    workers: int,
    cache: Path | str | None,
) -> list[Atoms]:
    """Copies without labels but the prior's, and with an isolated atom of each element.

    The model's elements that the structures lack are added, so that the new head knows them
    too. An isolated atom that the prior cannot do is left out.
    """
    bare = without_labels(structures)
    there = {
        int(atoms.numbers[0])
        for atoms, single in zip(bare, isolated_atoms(bare), strict=True)
        if single
    }
    bare += [Atoms([number]) for number in sorted((potential.species or set()) - there)]
    outcomes = _prior_labels(bare, prior, workers, cache)
    kept = [
        place
        for place, single in enumerate(isolated_atoms(bare))
        if not (single and isinstance(outcomes[place], Failure))
    ]
    found = [bare[place] for place in kept]
    _attach(found, [outcomes[place] for place in kept], prior)
    return found


def validation(structures: Sequence[Atoms], head: str, name: str = REFERENCE) -> list[Sample]:
    """Samples of ``head`` to judge by, with the labels of this name."""
    labels = require_labels(structures, name, purpose="validation")
    return _samples(structures, head, labels)


def of_differences(structures: Sequence[Atoms], prior: Prior) -> list[Sample]:
    """Samples to judge a Δ-model by; the prior's labels must be attached."""
    return _samples(structures, DELTA_HEAD, differences(structures, prior))


def _samples(structures: Sequence[Atoms], head: str, labels: Sequence[Labels]) -> list[Sample]:
    return [
        Sample(atoms, head, label)
        for atoms, label in zip(structures, labels, strict=True)
        if len(atoms) > 1
    ]


def _prior_labels(
    structures: Sequence[Atoms], prior: Prior, workers: int, cache: Path | str | None
) -> list[Labels | Failure]:
    """Labels of the prior; of several processes the others find those of the first in the cache."""
    with Processes().first_ahead():
        return prior_labels(structures, prior, workers=workers, cache=cache)


def _attach(
    structures: Sequence[Atoms], outcomes: Sequence[Labels | Failure], prior: Prior
) -> None:
    for atoms, outcome in zip(structures, outcomes, strict=True):
        if isinstance(outcome, Failure):
            raise ConfigError(
                f"{describe(atoms)}: the prior {prior.name} gave no labels ({outcome.reason}): "
                "take the structure out of the training set"
            )
        attach(atoms, outcome, prior.label_name)
