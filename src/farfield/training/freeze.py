"""Pre-train on the prior, freeze the representation or its early part, fit the main head.

The prior's labels cost no reference calculation, so the first phase may learn from many more
structures than the second (Kreiman & Krishnapriyan, arXiv 2503.08674, section 4).
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from ase import Atoms

from farfield.potentials import TrainablePotential
from farfield.priors import Prior
from farfield.training.checkpoint import second
from farfield.training.loop import Record, Report, fit
from farfield.training.samples import Sample
from farfield.training.settings import TrainingSettings
from farfield.training.training_set import (
    MAIN_HEAD,
    TrainingSet,
    prior_of,
    reference_of,
    two_levels,
)


def two_phases(
    structures: Sequence[Atoms],
    pretraining: Sequence[Atoms],
    prior: Prior,
    main: str = MAIN_HEAD,
) -> TrainingSet:
    """The main head learns from the reference of some structures, the prior head from others.

    The prior's labels of ``pretraining`` must already be attached (:func:`farfield.label`);
    they may be the same structures.
    """
    heads = {
        main: reference_of(structures, "the second phase of freeze"),
        prior.name: prior_of(pretraining, prior),
    }
    return TrainingSet(two_levels(heads, prior))


def freeze(
    potential: TrainablePotential,
    training_set: TrainingSet,
    settings: TrainingSettings,
    *,
    validation: Sequence[Sample] = (),
    checkpoint: Path | None = None,
    report: Report = lambda record: None,
) -> dict[str, Any]:
    """Train ``potential`` in place, in two phases.

    In the first everything learns from the prior. In the second the main head learns from the
    reference, and ``settings.trainable`` says what else moves. With a frozen representation
    the prior head stays bit for bit what the first phase made it. Where the representation
    moves, the prior head learns on from as many structures as have reference labels, unless
    ``settings.keep_prior`` is off.

    Parameters
    ----------
    potential
        A model with the two heads of ``training_set``.
    training_set
        Of :func:`two_phases`: the main head first.
    settings
        Of both phases; ``pretrain_epochs`` are those of the first.
    validation
        Samples to judge by: the first phase by those of the prior head, the second by the
        others.
    checkpoint
        File of the first phase; the second has one beside it.
    report
        Called with the record of each epoch; the second phase counts on from the first.

    Returns
    -------
    What the model's metadata should hold: the ``history`` of the second phase, and under
    ``pretraining`` that of the first, its number of structures, and whether they were the same.

    Raises
    ------
    CapabilityError
        ``trainable`` is ``"late"``, and the model declares no early part.
    """
    main, prior = training_set.energies
    frozen = _frozen(potential, settings)
    cheap = training_set.of(prior)
    first = settings.model_copy(update={"epochs": settings.pretrain_epochs or settings.epochs})
    before = fit(
        potential,
        cheap,
        first,
        validation=[sample for sample in validation if sample.head == prior],
        checkpoint=checkpoint,
        report=report,
    )
    samples = training_set.of(main)
    if settings.trainable != "head" and settings.keep_prior:
        samples = samples + _some(cheap, len(samples), settings.seed)

    def report_on(record: Record) -> None:
        report({**record, "epoch": record["epoch"] + first.epochs})

    after = fit(
        potential,
        samples,
        settings,
        frozen=frozen,
        validation=[sample for sample in validation if sample.head == main],
        checkpoint=None if checkpoint is None else second(checkpoint),
        report=report_on,
    )
    learned = {id(sample.atoms) for sample in training_set.of(main)}
    pretraining = {
        "n_structures": len(cheap),
        "same_structures": learned == {id(sample.atoms) for sample in cheap},
        "history": before,
    }
    return {"history": after, "pretraining": pretraining}


def _frozen(
    potential: TrainablePotential, settings: TrainingSettings
) -> Collection[torch.nn.Parameter]:
    """What the second phase leaves as it is."""
    if settings.trainable == "all":
        return []
    if settings.trainable == "late":
        return potential.early_parameters().values()
    return potential.representation_parameters().values()


def _some(samples: Sequence[Sample], count: int, seed: int) -> list[Sample]:
    """At most so many of the samples, drawn by the seed."""
    places = np.random.default_rng(seed).permutation(len(samples))[:count]
    return [samples[place] for place in sorted(places)]
