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

from farfield.errors import CapabilityError, LabelError, did_you_mean
from farfield.potentials import Potential, TrainablePotential, require_trainable
from farfield.priors import Failure, LabelCache, Prior, label
from farfield.refinement import gate
from farfield.refinement.adaptation import Judgement, TestTimeSettings, adapt
from farfield.refinement.contract import Curve, Record, Refined, Refinement
from farfield.refinement.objectives import Objective, PriorObjective, ReplayObjective
from farfield.shifts import Profile, diagnose, observe
from farfield.structures import describe, folds, require_labels
from farfield.training import Sample

ANCHOR_SHARE = 0.2  # of the training structures, kept from replay
ENERGY_WEIGHT = 0.1  # of the replayed energies per atom against the forces, Å⁻²


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
    ) -> None:
        self._prior = prior
        self._replay = replay
        self._profile = profile
        self._settings = settings or TestTimeSettings()
        self._workers = workers
        self._cache = cache

    def _refine(self, potential: Potential, structures: list[Atoms]) -> Refined:
        start = require_trainable(potential, "test-time training")
        if self._prior.name not in start.heads:
            raise CapabilityError(
                f"{start.name} has the heads {', '.join(start.heads)}, none for the prior "
                f"{self._prior.name!r}{did_you_mean(self._prior.name, start.heads[1:])}: train "
                "one with  farfield train --strategy joint"
            )
        _refuse_overlap(self._replay, structures)
        replayed = self._replayed(start)
        settings = {**asdict(self._settings), "prior": self._prior.level_of_theory}
        reasons = []
        if self._profile is not None:
            seen = observe(structures, potential=start)
            decision = gate.before(diagnose(structures, seen, self._profile))
            reasons.append(decision.reason)
            if not decision.act and not self._settings.force:
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
        if not samples:
            return Refined(potential, Record(self.name, False, reasons, settings=settings))
        learn, held_out = _split(samples, self._settings.held_out, self._settings.seed)
        rehearse, anchor = _split(replayed, ANCHOR_SHARE, self._settings.seed)
        objectives: list[Objective] = [PriorObjective(learn, self._settings.batch_size)]
        if rehearse:
            weight = self._settings.replay_weight
            replay = ReplayObjective(rehearse, self._settings.batch_size, weight, ENERGY_WEIGHT)
            objectives.append(replay)
        adapted = start.clone()
        judgements, kept = adapt(adapted, objectives, held_out, anchor, self._settings)
        record = _record(judgements, kept, len(learn))
        record = replace(
            record,
            reasons=reasons + record.reasons,
            settings=settings,
            acted=record.acted or self._settings.force,
        )
        return Refined(adapted if record.acted else potential, record)

    def _replayed(self, potential: TrainablePotential) -> list[Sample]:
        kept = [atoms for atoms in self._replay if len(atoms) > 1]
        labels = require_labels(kept, energy=True, purpose="replay")
        return [
            Sample(atoms, potential.heads[0], label)
            for atoms, label in zip(kept, labels, strict=True)
        ]


def _refuse_overlap(replay: Sequence[Atoms], structures: Sequence[Atoms]) -> None:
    """A test structure among the replayed ones would bring its reference label along."""
    known = {_geometry(atoms) for atoms in structures}
    for atoms in replay:
        if _geometry(atoms) in known:
            raise LabelError(
                f"{describe(atoms)} is among the structures to refine for: replay is for training "
                "structures alone, or the reference labels of test structures would leak"
            )


def _geometry(atoms: Atoms) -> tuple[bytes, bytes]:
    return atoms.numbers.tobytes(), (atoms.positions.round(6) + 0.0).tobytes()


def _record(judgements: Sequence[Judgement], kept: Judgement, n_learned: int) -> Record:
    """What happened, in figures and curves, and whether the result is to be kept."""
    start = judgements[0]
    decision = gate.after(start.held_out, kept.held_out, start.anchor, kept.anchor)
    figures = {
        "structures adapted on": float(n_learned),
        "best step": float(kept.step),
        "prior head, force MAE held out, before, eV/Å": start.held_out,
        "prior head, force MAE held out, after, eV/Å": kept.held_out,
    }
    series = {"prior head, held-out test structures": [j.held_out for j in judgements]}
    anchors = [j.anchor for j in judgements if j.anchor is not None]
    if start.anchor is not None and kept.anchor is not None:
        figures["main head, force MAE on the anchor set, before, eV/Å"] = start.anchor
        figures["main head, force MAE on the anchor set, after, eV/Å"] = kept.anchor
        series["main head, anchor set (training structures not replayed)"] = anchors
    curve = Curve("Force MAE", "eV/Å", [j.step for j in judgements], series, kept=kept.step)
    reasons = [decision.reason]
    if kept is start and len(judgements) > 1:
        lowest = min(judgements[1:], key=lambda judgement: judgement.held_out)
        rejected = f"the lowest prior error was {lowest.held_out:.3f} eV/Å, at step {lowest.step}"
        if lowest.anchor is not None:
            rejected += f", with {lowest.anchor:.3f} eV/Å on the training structures"
        reasons.append(rejected)
    return Record(TestTimeTraining.name, decision.act, reasons, figures, [curve])


def _split(samples: Sequence[Sample], share: float, seed: int) -> tuple[list[Sample], list[Sample]]:
    """Split off a share, at least one; a single sample stands on both sides."""
    if len(samples) < 2:
        return list(samples), list(samples)
    parts = folds(len(samples), max(2, round(1.0 / share)), seed)
    held_out = set(parts[0])
    return (
        [sample for index, sample in enumerate(samples) if index not in held_out],
        [samples[index] for index in parts[0]],
    )
