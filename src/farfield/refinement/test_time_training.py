"""Test-time training: move the shared representation by what is known without labels.

The prior head sees the test structures with a prior's labels, its error moves the shared
representation, and the main head then predicts from it (Kreiman & Krishnapriyan, arXiv
2503.08674, section 4). Labelled *training* structures, replayed meanwhile, keep the model
from forgetting what it knew.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, replace
from typing import final

from ase import Atoms

from farfield.errors import CapabilityError, did_you_mean
from farfield.potentials import Potential, require_trainable
from farfield.priors import Failure, LabelCache, Prior, label
from farfield.refinement import gate
from farfield.refinement.adaptation import TestTimeSettings, adapt
from farfield.refinement.contract import Record, Refined, Refinement
from farfield.refinement.course_record import course_record
from farfield.refinement.objectives import PriorObjective
from farfield.refinement.replay import labelled, refuse_leak, replaying, split_off
from farfield.refinement.trust import believed, distrusted, require_level, unseen_electrons
from farfield.shifts import Profile, diagnose, observe
from farfield.training import Sample


@final
class TestTimeTraining(Refinement):
    """Adapt a two-head model to a set of unlabelled structures.

    Parameters
    ----------
    prior
        The prior whose head the model has.
    replay
        Training structures with reference labels; empty leaves the model free to forget.
    profile
        Profile of the training set: with it, the model is left alone unless the structures
        are shifted.
    settings
        Steps, rates and the seed.
    workers, cache
        For labelling with the prior.
    checked_on
        Structures that the model was trained on: the prior is computed on some of them first, and
        the model is left alone where it is not the prior that the head has learned, or where a
        structure has a charge or spin that none of them has. Empty checks neither.

    Raises
    ------
    CapabilityError
        The model cannot be trained, or has no head for this prior.
    LabelError
        A replayed structure is one of those to refine for, or has no label.
    """

    __test__ = False  # not a test class
    name = "ttt"

    def __init__(
        self,
        prior: Prior,
        replay: Sequence[Atoms] = (),
        profile: Profile | None = None,
        settings: TestTimeSettings | None = None,
        workers: int = 1,
        cache: LabelCache | None = None,
        checked_on: Sequence[Atoms] = (),
    ) -> None:
        self._prior = prior
        self._replay = replay
        self._profile = profile
        self._settings = settings or TestTimeSettings()
        self._workers = workers
        self._cache = cache
        self._checked_on = checked_on

    def _refine(self, potential: Potential, structures: list[Atoms]) -> Refined:
        start = require_trainable(potential, "test-time training")
        if self._prior.name not in start.heads:
            raise CapabilityError(
                f"{start.name} has the heads {', '.join(start.heads)}, none for the prior "
                f"{self._prior.name!r}{did_you_mean(self._prior.name, start.heads[1:])}: train "
                "one with  farfield train --strategy joint"
            )
        require_level(start, self._prior)
        refuse_leak(self._replay, structures)
        replayed = labelled(self._replay, start)
        settings = {**asdict(self._settings), "prior": self._prior.level_of_theory}
        reasons = []
        if self._profile is not None:
            seen = observe(structures, potential=start)
            decision = gate.before(diagnose(structures, seen, self._profile))
            reasons.append(decision.reason)
            if not decision.act and not self._settings.force:
                return Refined(potential, Record(self.name, False, reasons, settings=settings))

        doubt = None if self._settings.force else self._doubt(start, structures)
        if doubt is not None:
            reasons.append(doubt)
            return Refined(potential, Record(self.name, False, reasons, settings=settings))

        outcomes = label(structures, self._prior, workers=self._workers, cache=self._cache)
        samples = [
            Sample(atoms, self._prior.name, labels)
            for atoms, labels in zip(structures, outcomes, strict=True)
            if not isinstance(labels, Failure)
        ]
        failed = [outcome for outcome in outcomes if isinstance(outcome, Failure)]
        if failed:
            reasons.append(
                f"the prior failed on {len(failed)} of {len(outcomes)} structures "
                f"({failed[0].reason}), which were left out"
            )
        if samples and not self._settings.force:
            samples, told = believed(start, self._prior, samples)
            reasons += [told] if told else []
        if not samples:
            return Refined(potential, Record(self.name, False, reasons, settings=settings))
        learn, held_out = split_off(samples, self._settings.held_out, self._settings.seed)
        replay, anchor = replaying(
            replayed,
            self._settings.batch_size,
            self._settings.replay_weight,
            self._settings.seed,
        )
        prior = PriorObjective(learn, self._settings.batch_size)
        adapted = start.clone()
        course = adapt(adapted, [prior, *replay], held_out, anchor, self._settings)
        record = course_record(self.name, gate.PRIOR_ERROR, course)
        record = replace(
            record,
            acted=record.acted or self._settings.force,
            reasons=reasons + record.reasons,
            figures={"structures adapted on": float(len(learn)), **record.figures},
            settings=settings,
        )
        return Refined(adapted if record.acted else potential, record)

    def _doubt(self, potential: Potential, structures: Sequence[Atoms]) -> str | None:
        """Why the prior is not learned from."""
        return unseen_electrons(structures, self._checked_on) or distrusted(
            potential, self._prior, self._checked_on, workers=self._workers, cache=self._cache
        )
