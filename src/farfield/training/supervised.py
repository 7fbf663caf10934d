"""Supervised training: the main head alone learns, from the reference; the baseline."""

from __future__ import annotations

from collections.abc import Sequence

from ase import Atoms

from farfield.training.training_set import MAIN_HEAD, TrainingSet, reference_of


def supervised(structures: Sequence[Atoms], main: str = MAIN_HEAD) -> TrainingSet:
    """The main head learns from the reference labels."""
    return TrainingSet({main: reference_of(structures, "supervised training")})
