"""The baseline that is allowed labels: a model trained on with a few structures of the test set."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from ase import Atoms

from farfield.benchmarks.bench import Bench, Contestant
from farfield.errors import CapabilityError
from farfield.structures import labels_of, require_labels
from farfield.training import Sample, TrainingSettings, fit

LEARNING_RATE = 2e-3
LEAST_SAMPLES = 8  # per epoch: copies of the labelled ones, and as many of training


def fine_tune(
    count: int, bench: Bench, structures: Sequence[Atoms], *, replay: bool = True
) -> Contestant:
    """The supervised model trained on with so many *labelled* structures of the set.

    With ``replay``, as many training structures, at least eight, are learned too, so that less
    is forgotten. It tells how many labels a refinement without labels is worth.

    Raises
    ------
    CapabilityError
        There are not so many structures with reference forces.
    """
    model = bench.model("supervised").clone()
    random = np.random.default_rng(bench.seed)
    size = max(count, LEAST_SAMPLES)
    chosen = some_labelled(count, structures, random)
    trained = [atoms for atoms in bench.zoo.training if len(atoms) > 1 and replay]
    replayed = [trained[place] for place in _places(random, len(trained), size)]
    samples = [
        Sample(atoms, model.heads[0], replace(labels, energy=labels.energy or 0.0))
        for group in ((chosen * size)[:size], replayed)
        if group
        for atoms, labels in zip(group, require_labels(group, purpose="fine-tuning"), strict=True)
    ]
    steps = -(-len(samples) // TrainingSettings().batch_size)
    settings = TrainingSettings(
        epochs=max(1, bench.effort.fine_tune_steps // steps),
        learning_rate=LEARNING_RATE,
        ema_decay=0.9,
        energy_weight=0.0,  # energies of some data have an offset for each molecule
        seed=bench.seed,
    )
    fit(model, samples, settings)
    return Contestant(model.predict)


def _places(random: np.random.Generator, available: int, wanted: int) -> list[int]:
    """Places of at most so many items, at random."""
    chosen: list[int] = random.permutation(available)[:wanted].tolist()
    return chosen


def some_labelled(
    count: int, structures: Sequence[Atoms], random: np.random.Generator
) -> list[Atoms]:
    """So many of the structures with reference forces, drawn at random.

    Raises
    ------
    CapabilityError
        There are not so many.
    """
    known = [atoms for atoms in structures if _has_forces(atoms)]
    if len(known) < count:
        raise CapabilityError(
            f"{len(known)} structures with reference forces may be adapted to, not {count}"
        )
    return [known[place] for place in random.choice(len(known), count, replace=False)]


def _has_forces(atoms: Atoms) -> bool:
    labels = labels_of(atoms)
    return labels is not None and labels.forces is not None
