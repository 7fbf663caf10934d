"""What a task must fulfil before anything is trained on it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
import numpy.typing as npt
from ase import Atoms

from farfield.benchmarks.tasks.task import Metric, Task
from farfield.errors import ConfigError, LabelError
from farfield.priors import key_of
from farfield.structures import UNKNOWN_LEVEL, Labels, describe, labels_of, require_labels

DIGITS = 16
JUDGED: Mapping[Metric, tuple[str, ...]] = MappingProxyType(
    {"force_mae": ("forces",), "energy_mae": ("energy",)}
)
LEAST = 2  # structures of a set: one half is adapted to, the other is judged


@dataclass(frozen=True)
class Fingerprints:
    """What a task's structures and labels are, each in 16 hexadecimal digits.

    Attributes
    ----------
    training
        Of all that is trained on.
    test
        Of the test sets, the level of theory and the metric. Two runs can be compared where
        these are equal. Positions and labels count to 0.001 Å, eV and eV/Å, so that sets made
        on the spot are the same on machines whose last digits differ.
    """

    training: str
    test: str


def check_task(task: Task) -> Fingerprints:
    """Look at all structures of a task.

    Raises
    ------
    ConfigError
        A structure stands in two sets, or a set has fewer than two structures.
    LabelError
        Labels are missing, are of several levels of theory, or are of another than the task says.
    """
    training = task.training_structures()
    found = require_labels(training, energy=True, purpose=f"task {task.name}: training")
    levels = {_level(found)}
    known = {key_of(atoms, ""): "training" for atoms in training}
    trained = hashlib.sha256()
    for atoms, label in zip(training, found, strict=True):
        trained.update(_seen(atoms, label, ("energy", "forces")))
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
            digest.update(_seen(atoms, label, JUDGED[task.metric]))
    _require_level(task, levels)
    return Fingerprints(trained.hexdigest()[:DIGITS], digest.hexdigest()[:DIGITS])


def _require_level(task: Task, levels: set[str]) -> None:
    """One level of theory, and that of the task, of which labels may say more in brackets."""
    if len(levels) > 1:
        raise LabelError(
            f"task {task.name}: labels of {len(levels)} levels of theory "
            f"({'; '.join(sorted(levels))}): errors would not mean anything"
        )
    (level,) = levels
    if level != UNKNOWN_LEVEL and not f"{level} (".startswith(f"{task.level_of_theory} ("):
        raise LabelError(
            f"task {task.name}: its level of theory is {task.level_of_theory!r}, that of its "
            f"labels {level!r}: correct one of them"
        )


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


def _seen(atoms: Atoms, label: Labels, quantities: Sequence[str]) -> bytes:
    """Geometry, charge, spin and some labels of a structure, in thousandths of their units."""
    copy = Atoms(atoms.numbers, _thousandths(atoms.positions), pbc=atoms.pbc)
    copy.cell[:] = _thousandths(atoms.cell)
    copy.info = {key: atoms.info[key] for key in ("charge", "spin") if key in atoms.info}
    values = [getattr(label, quantity) for quantity in quantities]
    parts = [_thousandths(value).tobytes() for value in values if value is not None]
    return b"".join([key_of(copy, "").encode(), *parts])


def _thousandths(values: npt.ArrayLike) -> npt.NDArray[np.float64]:
    return np.round(np.array(values, dtype="<f8"), 3) + 0.0  # turns -0.0 into 0.0
