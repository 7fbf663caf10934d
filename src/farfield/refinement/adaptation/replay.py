"""Structures of the training domain, by which an adapted model keeps what it knows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

import numpy as np
from ase import Atoms

from farfield.errors import ConfigError, LabelError, StructureError
from farfield.potentials import TrainablePotential
from farfield.refinement.adaptation.settings import AdaptationSettings
from farfield.refinement.objectives import Objective, ReplayObjective
from farfield.structures import Labels, describe, folds, require_labels, without_labels
from farfield.training import Sample

ANCHOR_SHARE = 0.2  # of the structures of the training domain, kept from replay
BATCHES = 8  # by which the loss at the start is estimated
LEAST_FORCE = 0.01  # eV/Å
ENERGY_WEIGHT = 0.1  # of the replayed energies per atom against the forces, Å⁻²

Item = TypeVar("Item")


def labelled(structures: Sequence[Atoms], potential: TrainablePotential) -> list[Sample]:
    """Samples of training structures with their reference labels, for the main head."""
    kept = [atoms for atoms in structures if len(atoms) > 1]
    labels = require_labels(kept, energy=True, purpose="replay")
    return [
        Sample(atoms, potential.heads[0], label) for atoms, label in zip(kept, labels, strict=True)
    ]


def own_predictions(structures: Sequence[Atoms], potential: TrainablePotential) -> list[Sample]:
    """Samples of structures like those in training with what the model says of them now."""
    kept = [atoms for atoms in without_labels(structures) if len(atoms) > 1]
    return [
        Sample(atoms, potential.heads[0], Labels(now.energy, now.forces, None, potential.name))
        for atoms, now in zip(kept, potential.predict(kept), strict=True)
    ]


def require_training_domain(samples: Sequence[Sample], settings: AdaptationSettings) -> None:
    """Raise if a setting needs structures of the training domain and there are none."""
    if samples:
        return
    for name in ("forgetting_limit", "project"):
        if getattr(settings, name) not in (None, False):
            raise ConfigError(
                f"{name} needs structures of the training domain, by which forgetting is "
                "measured: give training structures to replay"
            )


def refuse_leak(replay: Sequence[Atoms], structures: Sequence[Atoms]) -> None:
    """A test structure among those of training would bring its reference label along."""
    found = _first_among(replay, structures)
    if found is not None:
        raise LabelError(
            f"{describe(found)} is among the structures to refine for: only structures of training "
            "may be replayed or checked on, or the reference labels of test structures would leak"
        )


def refuse_contradiction(like_training: Sequence[Atoms], structures: Sequence[Atoms]) -> None:
    """A test structure among those to be kept as they are would be pulled two ways."""
    found = _first_among(like_training, structures)
    if found is not None:
        raise StructureError(
            f"{describe(found)} is among the structures to refine for, and among those whose "
            "predictions are to stay as they are: leave it out of one of them"
        )


def replaying(
    samples: Sequence[Sample],
    learn: Sequence[Objective],
    potential: TrainablePotential,
    settings: AdaptationSettings,
) -> tuple[list[ReplayObjective], list[Sample]]:
    """The objective that replays ``samples``, and the anchor set that is kept from it.

    Both are empty without samples. The objective's weight is ``settings.replay_weight`` times
    the loss of ``learn`` as ``potential`` is now, over the mean square of the replayed forces.
    """
    rehearsed, anchor = split_off(samples, ANCHOR_SHARE, settings.seed)
    if not rehearsed:
        return [], anchor
    to_learn = _loss(learn, potential, settings.seed)
    weight = settings.replay_weight * to_learn / _mean_square(rehearsed)
    return [ReplayObjective(rehearsed, settings.replay_batch_size, weight, ENERGY_WEIGHT)], anchor


def split_off(items: Sequence[Item], share: float, seed: int) -> tuple[list[Item], list[Item]]:
    """Split off a share, at least one; a single item stands on both sides."""
    if len(items) < 2:
        return list(items), list(items)
    parts = folds(len(items), max(2, round(1.0 / share)), seed)
    chosen = set(parts[0])
    return (
        [item for index, item in enumerate(items) if index not in chosen],
        [items[index] for index in parts[0]],
    )


def apart_from(structures: Sequence[Atoms], others: Sequence[Atoms]) -> list[Atoms]:
    """Those of some structures that are not among others."""
    known = {_geometry(atoms) for atoms in others}
    return [atoms for atoms in structures if _geometry(atoms) not in known]


def _loss(learn: Sequence[Objective], potential: TrainablePotential, seed: int) -> float:
    """The weighted sum of some objectives, a mean over a few batches."""
    random = np.random.default_rng((seed, 2))
    batches = [
        sum(part.weight * part.loss(potential, random).item() for part in learn)
        for _ in range(BATCHES)
    ]
    return float(np.mean(batches))


def _mean_square(samples: Sequence[Sample]) -> float:
    """Of all force components, (eV/Å)², at least that of forces too small to count."""
    forces = np.concatenate([sample.labels.known_forces.ravel() for sample in samples])
    return max(float(np.mean(forces**2)), LEAST_FORCE**2)


def _first_among(some: Sequence[Atoms], others: Sequence[Atoms]) -> Atoms | None:
    known = {_geometry(atoms) for atoms in others}
    return next((atoms for atoms in some if _geometry(atoms) in known), None)


def _geometry(atoms: Atoms) -> tuple[bytes, bytes]:
    return atoms.numbers.tobytes(), (atoms.positions.round(6) + 0.0).tobytes()
