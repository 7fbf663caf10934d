"""A teacher: what a refined model says of structures without labels."""

from __future__ import annotations

from collections.abc import Sequence
from typing import final

import numpy as np
from ase import Atoms

from farfield.errors import FarfieldError
from farfield.potentials import Potential, Prediction
from farfield.structures import Labels
from farfield.training import Sample

SAME = 1e-6  # eV/Å: forces that differ by less are the same


@final
class Teacher:
    """Labels structures with the predictions of a model, and counts them.

    Attributes
    ----------
    potential
        The model that teaches.
    head
        The student's head that learns from it.
    evaluations
        Number of structures that it was asked for so far.
    failures
        Why it gave no label, once for each structure that it failed on.
    """

    def __init__(self, potential: Potential, head: str) -> None:
        self.potential = potential
        self.head = head
        self.evaluations = 0
        self.failures: list[str] = []

    def samples(self, structures: Sequence[Atoms]) -> list[Sample]:
        """Label ``structures``; those that the teacher fails on are left out."""
        found = []
        for atoms, prediction in zip(structures, self._predictions(structures), strict=True):
            if isinstance(prediction, str):
                self.failures.append(prediction)
            elif not (np.isfinite(prediction.energy) and np.isfinite(prediction.forces).all()):
                self.failures.append("its prediction is not finite")
            else:
                labels = Labels(prediction.energy, prediction.forces, None, self.potential.name)
                found.append(Sample(atoms, self.head, labels))
        return found

    def teaches(self, student: Potential, samples: Sequence[Sample]) -> bool:
        """Whether ``student`` has anything to learn from ``samples``."""
        own = student.predict([sample.atoms for sample in samples], self.head)
        return any(
            np.abs(prediction.forces - sample.labels.known_forces).max() > SAME
            for prediction, sample in zip(own, samples, strict=True)
        )

    def _predictions(self, structures: Sequence[Atoms]) -> list[Prediction | str]:
        """The prediction for each structure, or why there is none."""
        self.evaluations += len(structures)
        try:
            return list(self.potential.predict(structures))
        except FarfieldError as error:
            if len(structures) == 1:
                return [str(error)]
        self.evaluations -= len(structures)
        return [outcome for atoms in structures for outcome in self._predictions([atoms])]
