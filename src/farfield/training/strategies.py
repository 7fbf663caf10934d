"""Which head learns from which labels: the training strategies.

``supervised``: the main head alone learns, from the reference; the baseline.
``joint``: main head and prior head learn from the start, in mixed batches, on one shared
representation, so that the prior head can later move the representation at test time
(Kreiman & Krishnapriyan, arXiv 2503.08674, section 4).
``retrofit``: a trained model gets a prior head (:mod:`farfield.training.retrofit`).
"""

from __future__ import annotations

from collections.abc import Sequence

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
STRATEGIES = ("supervised", "joint", "retrofit")


class TrainingSet:
    """Structures with the labels of each head, and what a new model must know of them.

    Attributes
    ----------
    structures
        The structures to learn from; isolated atoms are taken out.
    samples
        One sample per structure and head.
    energies
        For each head, isolated-atom energies (eV) by atomic number.
    scales
        For each head, the root mean square force component, eV/Å.
    levels
        For each head, its level of theory.
    """

    def __init__(self, structures: Sequence[Atoms], heads: dict[str, Sequence[Labels]]) -> None:
        alone = isolated_atoms(structures)
        kept = [index for index, single in enumerate(alone) if not single]
        if not kept:
            raise LabelError("the training set holds isolated atoms only: add structures")
        self.structures = [structures[index] for index in kept]
        self.samples: list[Sample] = []
        self.energies: dict[str, dict[int, float]] = {}
        self.scales: dict[str, float] = {}
        self.levels: dict[str, str] = {}
        for head, labels in heads.items():
            chosen = [labels[index] for index in kept]
            self.energies[head] = isolated_energies(structures, labels)
            self.scales[head] = force_scale(chosen)
            self.levels[head] = chosen[0].level_of_theory
            self.samples += [
                Sample(atoms, head, label)
                for atoms, label in zip(self.structures, chosen, strict=True)
            ]
        same_elements(self.energies)


def supervised(structures: Sequence[Atoms], main: str = MAIN_HEAD) -> TrainingSet:
    """The main head learns from the reference labels."""
    reference = require_labels(structures, energy=True, purpose="supervised training")
    return TrainingSet(structures, {main: reference})


def joint(structures: Sequence[Atoms], prior: Prior, main: str = MAIN_HEAD) -> TrainingSet:
    """The main head learns from the reference, the prior head from the prior's labels.

    The prior's labels must already be attached (:func:`farfield.label`).
    """
    reference = require_labels(structures, energy=True, purpose="joint training")
    cheap = require_labels(
        structures, prior.label_name, energy=True, purpose=f"the head of {prior.name}"
    )
    level = cheap[0].level_of_theory
    if reference[0].level_of_theory == level:
        raise LabelError(
            f"the reference labels and those of {prior.name} are both {level}: two heads of one "
            "level of theory learn the same; choose another prior"
        )
    return TrainingSet(structures, {main: reference, prior.name: cheap})
