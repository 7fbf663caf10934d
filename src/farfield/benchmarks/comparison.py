"""One test set, every method, judged on structures that were not adapted on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from ase import Atoms

from farfield.benchmarks.results.metrics import Errors, errors
from farfield.potentials import Potential, Prediction, TrainablePotential
from farfield.priors import Prior, label, require
from farfield.priors.cache import open_cache
from farfield.refinement import (
    Correction,
    RadiusRefinement,
    Record,
    TestTimeSettings,
    TestTimeTraining,
)
from farfield.shifts import Profile
from farfield.structures import halves, require_labels, without_labels


@dataclass(frozen=True)
class Comparison:
    """Errors of every method on the judged half of one set.

    Attributes
    ----------
    supervised, prior, joint
        The baselines: a model trained on reference labels alone, the prior itself, and the
        two-head model untouched.
    radius, ttt
        The two-head model refined for the set's other half (radius: for each structure).
    correction
        The two-head model corrected by the prior, for each structure.
    control_before, control_after
        The two-head model on the in-distribution control, untouched and after test-time
        training for this set: what was forgotten.
    radius_record, ttt_record, correction_record
        What the refinements did, and why.
    """

    supervised: Errors
    prior: Errors
    joint: Errors
    radius: Errors
    ttt: Errors
    correction: Errors
    control_before: Errors
    control_after: Errors
    radius_record: Record
    ttt_record: Record
    correction_record: Record


@dataclass(frozen=True)
class Contestants:
    """What is compared: two models, their profile, the prior, the replayed training set.

    ``cache`` is the folder of the label cache, None for no cache.
    """

    supervised: Potential
    joint: TrainablePotential
    prior: Prior
    profile: Profile
    replay: Sequence[Atoms]
    control: Sequence[Atoms]
    settings: TestTimeSettings
    cache: Path | None = None


def compare(structures: Sequence[Atoms], contestants: Contestants) -> tuple[Comparison, Potential]:
    """Adapt on one half of ``structures`` without labels, judge all methods on the other.

    The halves are drawn with the settings' seed. The second value is the model after
    test-time training.
    """
    adapted, judged = halves(structures, contestants.settings.seed)
    published = RadiusRefinement(contestants.profile, mode="truncate", criterion="paper")
    radius = published.refine(contestants.joint, judged)
    with open_cache(contestants.cache) as cache:
        training = TestTimeTraining(
            contestants.prior,
            replay=contestants.replay,
            profile=contestants.profile,
            settings=contestants.settings,
            cache=cache,
        )
        ttt = training.refine(contestants.joint, adapted)
    correction = Correction(
        contestants.prior, like_training=contestants.replay, cache=contestants.cache
    ).refine(contestants.joint, judged)
    found = Comparison(
        supervised=_errors(judged, contestants.supervised.predict),
        prior=_errors(judged, lambda bare: _prior_predictions(bare, contestants)),
        joint=_errors(judged, contestants.joint.predict),
        radius=_errors(judged, radius.potential.predict),
        ttt=_errors(judged, ttt.potential.predict),
        correction=_errors(judged, correction.potential.predict),
        control_before=_errors(contestants.control, contestants.joint.predict),
        control_after=_errors(contestants.control, ttt.potential.predict),
        radius_record=radius.record,
        ttt_record=ttt.record,
        correction_record=correction.record,
    )
    return found, ttt.potential


def _errors(
    structures: Sequence[Atoms], predict: Callable[[list[Atoms]], Sequence[Prediction]]
) -> Errors:
    labels = require_labels(structures, purpose="the comparison")
    return errors(structures, predict(without_labels(structures)), labels)


def _prior_predictions(structures: list[Atoms], contestants: Contestants) -> list[Prediction]:
    with open_cache(contestants.cache) as cache:
        outcomes = label(structures, contestants.prior, cache=cache)
    found = []
    for atoms, outcome in zip(structures, outcomes, strict=True):
        labels = require(outcome, atoms, contestants.prior)
        assert labels.energy is not None and labels.forces is not None
        found.append(Prediction(labels.energy, labels.forces))
    return found
