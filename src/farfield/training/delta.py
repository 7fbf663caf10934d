"""A Δ-model: it learns the reference minus the prior, which is added at every prediction.

The oldest way to use a cheap prior (Ramakrishnan et al., J. Chem. Theory Comput. 11, 2087, 2015).
It shares nothing with a model of two heads, so that the two err differently: a correction can use
both (:class:`farfield.refinement.Correction`).
"""

from __future__ import annotations

from collections.abc import Sequence

from ase import Atoms

from farfield.priors import Prior
from farfield.structures import Labels, require_labels
from farfield.training.training_set import TrainingSet

DELTA_HEAD = "delta"


def delta(structures: Sequence[Atoms], prior: Prior) -> TrainingSet:
    """The one head learns the difference; the prior's labels must be attached."""
    return TrainingSet({DELTA_HEAD: (structures, differences(structures, prior))})


def differences(structures: Sequence[Atoms], prior: Prior) -> list[Labels]:
    """Reference minus prior, of energies and forces.

    Raises
    ------
    LabelError
        A structure lacks the labels of one of the two.
    """
    reference = require_labels(structures, energy=True, purpose="the Δ-model")
    cheap = require_labels(structures, prior.label_name, energy=True, purpose="the Δ-model")
    found = []
    for first, second in zip(reference, cheap, strict=True):
        assert first.energy is not None and second.energy is not None
        forces = first.known_forces - second.known_forces
        level = between(first.level_of_theory, second.level_of_theory)
        found.append(Labels(first.energy - second.energy, forces, None, level))
    return found


def between(reference: str, prior: str) -> str:
    """The level of theory of a difference."""
    return f"{reference} - {prior}"
