"""What is distilled: test structures and ones made from them, labelled by a teacher."""

from __future__ import annotations

from collections.abc import Sequence
from typing import final

from ase import Atoms

from farfield.potentials import Potential
from farfield.refinement.adaptation.displacements import displaced
from farfield.refinement.distillation.settings import DistillationSettings
from farfield.refinement.distillation.snapshots import snapshots
from farfield.refinement.distillation.teacher import Teacher
from farfield.training import Sample


@final
class Lessons:
    """The samples of all rounds so far.

    Parameters
    ----------
    teacher
        Who labels.
    given
        Test structures with its labels.
    settings
        Which structures are made from them.

    Attributes
    ----------
    samples
        What is learned from.
    rounds
        Number of rounds begun.
    """

    def __init__(
        self, teacher: Teacher, given: Sequence[Sample], settings: DistillationSettings
    ) -> None:
        self.samples = list(given)
        self.rounds = 0
        self._teacher = teacher
        self._seeds = [sample.atoms for sample in given]
        self._settings = settings
        self._stops: list[str] = []

    def add_round(self, student: Potential) -> None:
        """Make structures and have them labelled; ``student`` drives dynamics after round 1."""
        made = self._made(student)
        self.rounds += 1
        if made:
            self.samples += self._teacher.samples(made)

    def notes(self) -> list[str]:
        """What went wrong, in sentences."""
        notes = []
        failures, stops = self._teacher.failures, self._stops
        if failures:
            notes.append(
                f"the teacher failed on {len(failures)} structures ({failures[0]}), which were "
                "left out"
            )
        if stops:
            notes.append(f"{len(stops)} simulations ended early ({stops[0]})")
        return notes

    def _made(self, student: Potential) -> list[Atoms]:
        given, seed = self._settings, self._settings.seed + self.rounds
        if given.structures == "rattled":
            return displaced(self._seeds, given.copies, given.displacement, seed)
        if given.structures == "given":
            return []
        found = snapshots(
            self._seeds,
            student if self.rounds else self._teacher.potential,
            copies=given.copies,
            temperature=given.temperature,
            interval=given.interval,
            seed=seed,
        )
        if self.rounds == 0:
            self._teacher.evaluations += found.n_evaluations
        self._stops += found.stops
        return found.structures
