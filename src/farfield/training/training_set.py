"""What a new model learns from: the samples of each head, and what must be known before."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ase import Atoms

from farfield.errors import LabelError
from farfield.priors import Prior
from farfield.structures import Labels, require_labels
from farfield.training.samples import Sample
from farfield.training.statistics import (
    force_scale,
    isolated_atoms,
    isolated_energies,
    same_elements,
)

MAIN_HEAD = "reference"
Labelled = tuple[Sequence[Atoms], Sequence[Labels]]


class TrainingSet:
    """The samples of each head, and what a new model must know of them.

    Parameters
    ----------
    heads
        For each head, main head first: structures and their labels. Isolated atoms among them
        give energies, and are no samples.

    Attributes
    ----------
    structures
        The structures to learn from; one that teaches two heads stands there once.
    samples
        One sample per structure and head.
    energies
        For each head, isolated-atom energies (eV) by atomic number.
    scales
        For each head, the root mean square force component, eV/Å.
    levels
        For each head, its level of theory.
    """

    def __init__(self, heads: Mapping[str, Labelled]) -> None:
        self.samples: list[Sample] = []
        self.energies: dict[str, dict[int, float]] = {}
        self.scales: dict[str, float] = {}
        self.levels: dict[str, str] = {}
        for head, (structures, labels) in heads.items():
            alone = isolated_atoms(structures)
            kept = [index for index, single in enumerate(alone) if not single]
            if not kept:
                raise LabelError("the training set holds isolated atoms only: add structures")
            chosen = [labels[index] for index in kept]
            self.energies[head] = isolated_energies(structures, labels)
            self.scales[head] = force_scale(chosen)
            self.levels[head] = chosen[0].level_of_theory
            self.samples += [Sample(structures[index], head, labels[index]) for index in kept]
        same_elements(self.energies)
        each = {id(sample.atoms): sample.atoms for sample in self.samples}
        self.structures: list[Atoms] = list(each.values())

    def of(self, head: str) -> list[Sample]:
        """The samples of one head."""
        return [sample for sample in self.samples if sample.head == head]


def reference_of(structures: Sequence[Atoms], purpose: str) -> Labelled:
    """The structures with their reference labels, energies among them."""
    return structures, require_labels(structures, energy=True, purpose=purpose)


def prior_of(structures: Sequence[Atoms], prior: Prior) -> Labelled:
    """The structures with the prior's labels, which must be attached (:func:`farfield.label`)."""
    purpose = f"the head of {prior.name}"
    return structures, require_labels(structures, prior.label_name, energy=True, purpose=purpose)


def two_levels(heads: Mapping[str, Labelled], prior: Prior) -> Mapping[str, Labelled]:
    """Return ``heads``, of a main head and the prior's, unless both have one level of theory."""
    main, cheap = (labels[0].level_of_theory for _, labels in heads.values())
    if main == cheap:
        raise LabelError(
            f"the reference labels and those of {prior.name} are both {cheap}: two heads of one "
            "level of theory learn the same; choose another prior"
        )
    return heads
