"""Distillation: a plain model learns what a refined model says of unlabelled structures.

A correction makes a model better and slower: it needs the prior at every prediction. Its
forces on the structures at hand are known without a label, and so can be learned by the main
head itself. What results has the architecture, the files and the speed of the model that came
in, and needs no prior.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, final

from ase import Atoms

from farfield.potentials import Potential, TrainablePotential, require_trainable
from farfield.refinement import gate
from farfield.refinement.adaptation.checkpoint import AdaptationCheckpoint, run_hash
from farfield.refinement.adaptation.course_record import course_record
from farfield.refinement.adaptation.judgement import Course
from farfield.refinement.adaptation.replay import (
    labelled,
    own_predictions,
    refuse_contradiction,
    refuse_leak,
    replaying,
    require_training_domain,
    split_off,
)
from farfield.refinement.adaptation.steps import Report, adapt
from farfield.refinement.contract import Record, Refined, Refinement
from farfield.refinement.distillation.lessons import Lessons
from farfield.refinement.distillation.settings import DistillationSettings
from farfield.refinement.distillation.teacher import Teacher
from farfield.refinement.objectives import DistilObjective
from farfield.refinement.trust import unseen_electrons
from farfield.training import Sample

__all__ = ["Distillation", "DistillationSettings"]


@final
class Distillation(Refinement):
    """Make the main head of a plain model repeat what a refined model says.

    Parameters
    ----------
    teacher
        The refinement to learn from, such as a correction; whatever it makes of the model
        need only predict.
    replay
        Training structures with reference labels, which are learned meanwhile.
    like_training
        Structures from the training domain whose labels are not used: there the model is held
        to what it predicts now. For models whose training data are not at hand.
    settings
        Steps, rates, the structures to learn from, and the seed.
    checkpoint
        File that is kept while it runs, one for each round, and from which an interrupted run
        goes on, bit for bit; removed at the end.
    report
        Called with each judgement.

    Raises
    ------
    CapabilityError
        The model cannot be trained, or the teacher cannot refine it.
    LabelError
        A replayed structure is one of those to refine for, or has no label.
    StructureError
        One of ``like_training`` is among those to refine for.

    Notes
    -----
    The representation moves and the heads stay, as in test-time training. Without ``replay``
    and ``like_training`` the model is free to forget.
    """

    name = "distil"

    def __init__(
        self,
        teacher: Refinement,
        replay: Sequence[Atoms] = (),
        like_training: Sequence[Atoms] = (),
        settings: DistillationSettings | None = None,
        checkpoint: Path | None = None,
        report: Report = lambda judgement: None,
    ) -> None:
        self._teacher = teacher
        self._replay = replay
        self._like_training = like_training
        self._settings = settings or DistillationSettings()
        self._checkpoint = checkpoint
        self._report = report

    def _refine(self, potential: Potential, structures: list[Atoms]) -> Refined:
        start = require_trainable(potential, "distillation")
        refuse_leak(self._replay, structures)
        refuse_contradiction(self._like_training, structures)
        remembered = labelled(self._replay, start)
        remembered += own_predictions(self._like_training, start)
        require_training_domain(remembered, self._settings)

        known = [*self._replay, *self._like_training]
        strange = None if self._settings.force else unseen_electrons(structures, known)
        if strange is not None:
            described = self._described(None)
            return Refined(potential, Record(self.name, False, [strange], settings=described))
        taught = self._teacher.refine(potential, structures)
        settings = self._described(taught.record)
        told = [f"teacher: {reason}" for reason in taught.record.reasons]
        if not taught.record.acted:
            told.insert(0, "the teacher left the model as it is, so there is nothing to distil")
            return Refined(potential, Record(self.name, False, told, settings=settings))
        teacher = Teacher(taught.potential, start.heads[0])
        samples = teacher.samples(structures)
        if not samples:
            told.append(f"the teacher failed on all structures ({teacher.failures[0]})")
            return Refined(potential, Record(self.name, False, told, settings=settings))

        learn, held_out = split_off(samples, self._settings.held_out, self._settings.seed)
        if not teacher.teaches(start, learn):
            told.insert(
                0,
                f"on the {len(learn)} structures to learn from, the teacher says what the model "
                "says, so there is nothing to distil",
            )
            return Refined(potential, Record(self.name, False, told, settings=settings))
        student = start.clone()
        lessons = Lessons(teacher, learn, self._settings)
        course, notes = self._learn(student, lessons, held_out, remembered)
        record = course_record(self.name, gate.DISTANCE_TO_TEACHER, course)
        figures = {
            "structures adapted on": float(len(learn)),
            "structures made from them": float(len(lessons.samples) - len(learn)),
            "evaluations of the teacher": float(teacher.evaluations),
            "rounds": float(lessons.rounds),
        }
        record = replace(
            record,
            acted=record.acted or self._settings.force,
            reasons=[*record.reasons, *notes, *lessons.notes(), *told],
            figures={**figures, **record.figures},
            settings=settings,
        )
        for round_ in range(1, lessons.rounds + 1):
            if (path := self._file(round_)) is not None:
                path.unlink(missing_ok=True)
        return Refined(student if record.acted else potential, record)

    def _learn(
        self,
        student: TrainablePotential,
        lessons: Lessons,
        held_out: Sequence[Sample],
        remembered: Sequence[Sample],
    ) -> tuple[Course, list[str]]:
        """Let ``student`` learn in place; how it went, and what is to be told of it."""
        given = self._settings
        asked = DistilObjective(lessons.samples, given.batch_size)
        replay, anchor = replaying(remembered, [asked], student, given)
        course: Course | None = None
        while course is None or lessons.rounds < given.rounds:
            lessons.add_round(student)
            distil = DistilObjective(lessons.samples, given.batch_size)
            settings = replace(given, seed=given.seed + lessons.rounds - 1)
            before, checkpoint = course, None
            if (path := self._file(lessons.rounds)) is not None:
                run = run_hash(student, settings, lessons.samples, held_out, remembered)
                checkpoint = AdaptationCheckpoint(path, run)
            course = adapt(
                student,
                [distil],
                replay,
                held_out,
                anchor,
                settings,
                before,
                checkpoint,
                self._report,
            )
            if before is not None and not gate.improved(before.kept.held_out, course.kept.held_out):
                return course, [f"round {lessons.rounds} brought no further 2 %, and was the last"]
        return course, []

    def _file(self, round_: int) -> Path | None:
        """The checkpoint of a round."""
        path = self._checkpoint
        return None if path is None else path.with_name(f"{path.name}.{round_}")

    def _described(self, taught: Record | None) -> dict[str, Any]:
        """The settings, those of the teacher among them where it was asked."""
        known = {} if taught is None else taught.settings
        theirs = {f"teacher's {key}": value for key, value in known.items()}
        return {**asdict(self._settings), "teacher": self._teacher.name, **theirs}
