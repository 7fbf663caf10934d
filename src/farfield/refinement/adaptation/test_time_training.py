"""Test-time training: move the shared representation by what is known without labels.

The prior head sees the test structures with a prior's labels, its error moves the shared
representation, and the main head then predicts from it (Kreiman & Krishnapriyan, arXiv
2503.08674, section 4); by default it is told to keep its difference to the prior head, which
the paper does not do. Labelled *training* structures, replayed meanwhile, keep the model from
forgetting what it knew. Other objectives need no prior.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, final

import torch
from ase import Atoms

from farfield.errors import ConfigError
from farfield.potentials import Potential, TrainablePotential, require_trainable
from farfield.priors import Failure, LabelCache, Prior, label
from farfield.refinement import gate
from farfield.refinement.adaptation.aims import aims_of
from farfield.refinement.adaptation.checkpoint import AdaptationCheckpoint, run_hash
from farfield.refinement.adaptation.course_record import course_record
from farfield.refinement.adaptation.displacements import displaced
from farfield.refinement.adaptation.replay import (
    labelled,
    refuse_leak,
    replaying,
    require_training_domain,
    split_off,
)
from farfield.refinement.adaptation.settings import TestTimeSettings
from farfield.refinement.adaptation.steps import Report, adapt
from farfield.refinement.checked import doubted
from farfield.refinement.contract import Record, Refined, Refinement
from farfield.refinement.correction.refinement import require_head
from farfield.refinement.trust import believed, require_level, unseen_electrons
from farfield.shifts import Profile, diagnose, observe
from farfield.structures import Labels
from farfield.training import Sample

UNJUDGED = (
    "without a prior nothing tells whether the forces become better: an objective that judges "
    "itself falls in any case; force it to see what comes of it"
)


@final
@dataclass(frozen=True, eq=False, repr=False)
class TestTimeTraining(Refinement):
    """Adapt a model to a set of unlabelled structures.

    Parameters
    ----------
    prior
        The prior whose head the model has; None where the objectives of ``settings`` need none.
    replay
        Training structures with reference labels; empty leaves the model free to forget.
    profile
        Profile of the training set: with it, the model is left alone unless the structures
        are shifted.
    settings
        Objectives, steps, rates and the seed.
    workers, cache
        For labelling with the prior.
    checked_on
        Structures that the model was trained on: the prior is computed on some of them first, and
        the model is left alone where it is not the prior that the head has learned, where by their
        reference labels the two heads do not err alike, or where a structure has a charge or spin
        that none of them has; test structures on which the prior
        has little in common with the model are left out. Empty does the last alone, and None
        believes the prior everywhere.
    checkpoint
        File that is kept while it runs, and from which an interrupted run goes on, bit for
        bit; it is removed at the end.
    report
        Called with each judgement.

    Raises
    ------
    CapabilityError
        The model cannot be trained, or has no head for this prior.
    ConfigError
        An objective needs a prior, or a setting needs structures to replay.
    LabelError
        A replayed structure is one of those to refine for, or has no label.
    """

    __test__ = False  # not a test class
    name = "ttt"

    prior: Prior | None
    replay: Sequence[Atoms] = ()
    profile: Profile | None = None
    settings: TestTimeSettings = TestTimeSettings()  # noqa: RUF009 - it is frozen
    workers: int = 1
    cache: LabelCache | None = None
    checked_on: Sequence[Atoms] | None = None
    checkpoint: Path | None = None
    report: Report = lambda judgement: None

    def __post_init__(self) -> None:
        if self.prior is None and "prior" in self.settings.objectives:
            raise ConfigError("the objective prior needs a prior: give one, such as gfn2")

    @property
    def asked(self) -> Prior | None:
        """The prior, if an objective asks for it."""
        return self.prior if "prior" in self.settings.objectives else None

    def _refine(self, potential: Potential, structures: list[Atoms]) -> Refined:
        start = require_trainable(potential, "test-time training")
        if self.asked is not None:
            require_head(start, self.asked)
            require_level(start, self.asked)
        refuse_leak(self.replay, structures)
        replayed = labelled(self.replay, start)
        require_training_domain(replayed, self.settings)
        settings = self.described()
        if self.asked is None and not self.settings.force:
            return Refined(potential, Record(self.name, False, [UNJUDGED], settings=settings))
        reasons = []
        if self.profile is not None:
            seen = observe(structures, potential=start)
            decision = gate.before(diagnose(structures, seen, self.profile))
            reasons.append(decision.reason)
            if not decision.act and not self.settings.force:
                return Refined(potential, Record(self.name, False, reasons, settings=settings))

        doubt = None if self.settings.force else self.doubt(start, structures)
        if doubt is not None:
            reasons.append(doubt)
            return Refined(potential, Record(self.name, False, reasons, settings=settings))

        samples, notes = self._samples(start, structures)
        reasons += notes
        if not samples:
            return Refined(potential, Record(self.name, False, reasons, settings=settings))
        learn, held_out = split_off(samples, self.settings.held_out, self.settings.seed)
        given = len(learn)
        if self.settings.copies:
            made, notes = self._samples(start, self._rattled(learn))
            learn, reasons = [*learn, *made], [*reasons, *notes]
        training = [sample.atoms for sample in replayed]
        aims = aims_of(start, learn, held_out, training, self.settings)
        replay, anchor = replaying(replayed, aims.learn, aims.potential, self.settings)
        checkpoint = None
        if self.checkpoint is not None:
            run = run_hash(start, self.settings, samples, replayed)
            checkpoint = AdaptationCheckpoint(self.checkpoint, run)
        course = adapt(
            aims.potential,
            aims.learn,
            replay,
            aims.error,
            anchor,
            self.settings,
            checkpoint=checkpoint,
            report=self.report,
        )
        record = course_record(self.name, aims.criterion, course)
        record = replace(
            record,
            acted=record.acted or self.settings.force,
            reasons=reasons + record.reasons + aims.notes,
            figures={
                "structures adapted on": float(given),
                "structures made from them": float(len(learn) - given),
                **record.figures,
            },
            settings=settings,
        )
        if self.checkpoint is not None:
            self.checkpoint.unlink(missing_ok=True)
        return Refined(_moved(start, aims.potential) if record.acted else potential, record)

    def _samples(
        self, start: TrainablePotential, structures: Sequence[Atoms]
    ) -> tuple[list[Sample], list[str]]:
        """Structures with the prior's labels, or with none; and what is to be told of them."""
        if self.asked is None:
            empty = Labels(None, None)
            return [Sample(a, start.heads[0], empty) for a in structures if len(a) > 1], []
        outcomes = label(structures, self.asked, workers=self.workers, cache=self.cache)
        samples = [
            Sample(atoms, self.asked.name, labels)
            for atoms, labels in zip(structures, outcomes, strict=True)
            if not isinstance(labels, Failure)
        ]
        notes = []
        failed = [outcome for outcome in outcomes if isinstance(outcome, Failure)]
        if failed:
            told = f"the prior failed on {len(failed)} of {len(outcomes)} structures"
            notes.append(f"{told} ({failed[0].reason}), which were left out")
        if samples and self.checked_on is not None and not self.settings.force:
            samples, left = believed(start, self.asked, samples)
            notes += [left] if left else []
        return samples, notes

    def _rattled(self, learn: Sequence[Sample]) -> list[Atoms]:
        """Displaced copies of what is learned from."""
        given = self.settings
        seeds = [sample.atoms for sample in learn]
        return displaced(seeds, given.copies, given.displacement, given.seed)

    def doubt(self, potential: Potential, structures: Sequence[Atoms]) -> str | None:
        """Why the prior is not learned from."""
        if self.asked is None or self.checked_on is None:
            return None
        given = (potential, self.asked, self.checked_on, structures)
        return unseen_electrons(structures, self.checked_on) or doubted(
            *given, workers=self.workers, cache=self.cache
        )

    def described(self) -> dict[str, Any]:
        """The settings, and the level of theory of the prior, as plain values."""
        prior = None if self.asked is None else self.asked.level_of_theory
        return {**asdict(self.settings), "prior": prior}


def _moved(start: TrainablePotential, adapted: TrainablePotential) -> TrainablePotential:
    """A copy of ``start`` with the representation of ``adapted``, and its own heads."""
    moved, now = start.clone(), adapted.representation_parameters()
    with torch.no_grad():
        for name, value in moved.representation_parameters().items():
            value.copy_(now[name])
    return moved
