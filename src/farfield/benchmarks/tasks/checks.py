"""What a task must fulfil before anything is trained on it."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np
from ase import Atoms

from farfield.benchmarks.tasks.task import Metric, Task
from farfield.errors import ConfigError, LabelError
from farfield.priors import key_of
from farfield.structures import Labels, describe, labels_of, require_labels

LEAST = 2  # structures of a set: one half is adapted to, the other is judged


def check_task(task: Task) -> str:
    """Look at all structures of a task, and return a fingerprint of its test sets.

    Two runs can be compared where the fingerprints are equal: the same test structures and
    labels, level of theory and metric.

    Raises
    ------
    ConfigError
        A structure stands in two sets, or a set has fewer than two structures.
    LabelError
        Labels are missing, or are of several levels of theory.
    """
    training = task.training_structures()
    levels = {_level(require_labels(training, energy=True, purpose=f"task {task.name}: training"))}
    known = {key_of(atoms, ""): "training" for atoms in training}
    digest = hashlib.sha256(f"{task.level_of_theory}\n{task.metric}\n".encode())
    for name, selections in task.sets.items():
        structures = task.structures(selections)
        if len(structures) < LEAST:
            raise ConfigError(f"task {task.name}: {name} holds {len(structures)} structure, not 2")
        labels = require_metric(structures, task.metric, f"task {task.name}: {name}")
        levels.add(_level(labels))
        digest.update(f"{name} {len(structures)}\n".encode())
        for atoms, label in zip(structures, labels, strict=True):
            key = key_of(atoms, "")
            if key in known and known[key] != name:
                raise ConfigError(
                    f"task {task.name}: {describe(atoms)} stands in {known[key]} and in {name}: "
                    "the sets must be disjoint"
                )
            known[key] = name
            digest.update(key.encode())
            digest.update(_bytes(label, task.metric))
    if len(levels) > 1:
        raise LabelError(
            f"task {task.name}: labels of {len(levels)} levels of theory "
            f"({'; '.join(sorted(levels))}): errors would not mean anything"
        )
    return digest.hexdigest()[:16]


def require_metric(structures: Sequence[Atoms], metric: Metric, purpose: str) -> list[Labels]:
    """The labels that a metric needs, of every structure, finite and of one level of theory."""
    if metric == "force_mae":
        return require_labels(structures, purpose=purpose)
    found = []
    for atoms in structures:
        labels = labels_of(atoms)
        if labels is None or labels.energy is None or not np.isfinite(labels.energy):
            raise LabelError(f"{describe(atoms)} has no finite reference energy: {purpose}")
        found.append(labels)
    return found


def _level(labels: Sequence[Labels]) -> str:
    return labels[0].level_of_theory


def _bytes(labels: Labels, metric: Metric) -> bytes:
    value = labels.known_forces if metric == "force_mae" else np.array(labels.known_energy)
    return np.ascontiguousarray(np.round(value, 6), dtype="<f8").tobytes()
