"""One fitted axis: the detector's summary of training, and what held-out structures score."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from farfield.errors import ProfileError
from farfield.shifts.contract import Described, Detector, Score, State
from farfield.shifts.observation import Observation
from farfield.shifts.remembered.memory import Memory, folds_of
from farfield.shifts.remembered.recalled import Recalled

Floats = npt.NDArray[np.float64]

FOLDS = 5
LEAST = 2 * FOLDS  # structures: below it, quantiles would mean nothing
KEPT_ATOM_SCORES = 2000
ROUNDING = 1e-6  # of a score: densities and features are kept, and many models run, in float32


@dataclass(frozen=True)
class Axis:
    """One fitted axis: the detector's state, and the scores of held-out structures.

    Attributes
    ----------
    state
        What the detector's ``fit`` returned for all that is remembered of training.
    null
        Scores of the remembered held-out structures, shape (n,), sorted.
    atom_null
        Scores of their atoms that are remembered, evenly thinned to at most 2000, sorted.
    held_out
        Quantile of each held-out structure among them, in the order of their keys and
        the same for all axes; NaN for a structure that could not be scored on this axis.
    """

    state: State
    null: Floats
    atom_null: Floats
    held_out: Floats


def fit_axis(detector: Detector, train: Memory, held_out: Memory | None, seed: int) -> Axis | str:
    """Fit one axis on the structures that have what it needs, or say why it cannot be.

    Judged are the remembered structures of ``held_out`` against all of training; without
    them, each of five folds of those of training against the rest.
    """
    judged = train if held_out is None else held_out
    for memory in (train,) if held_out is None else (train, held_out):
        count, reason = memory.lacking.get(detector.axis, (0, ""))
        if memory.totals.count - count < LEAST:
            told = f"{count} of {memory.totals.count} structures have {reason}"
            return told if count < memory.totals.count else reason
        present = [one for one in memory.structures.values() if detector.missing(one) is None]
        if len(present) < LEAST:
            lacking = [detector.missing(one) for one in memory.structures.values()]
            return next(filter(None, lacking), f"fewer than {LEAST} different structures")
    state = detector.fit(train)
    scores = (
        _fold_scores(detector, train, seed)
        if held_out is None
        else _scores(detector, held_out.structures.values(), state)
    )
    found = {key: score.structure for key, score in scores.items()}
    null = np.sort(list(found.values()))
    held = np.array([found.get(key, np.nan) for key in judged.structures])
    quantiles = np.full(len(held), np.nan)
    quantiles[~np.isnan(held)] = share_below(null, held[~np.isnan(held)])
    atoms = np.sort(np.concatenate([score.atoms for score in scores.values()]))
    steps = np.linspace(0, len(atoms) - 1, min(KEPT_ATOM_SCORES, len(atoms)))
    return Axis(state, null, atoms[steps.round().astype(int)], quantiles)


def lack(detector: Detector, observations: Sequence[Observation]) -> str | None:
    """Say what observations lack for an axis, and how many of them if not all; None if none."""
    reasons = [detector.missing(observation) for observation in observations]
    told = [reason for reason in reasons if reason is not None]
    if not told or len(told) == len(reasons):
        return told[0] if told else None
    return f"{len(told)} of {len(reasons)} structures have {told[0]}"


def score_finite(detector: Detector, seen: Described, state: State) -> Score:
    """Score one structure; a score that is not a finite number is an error."""
    score = detector.score(seen, state)
    if not (np.isfinite(score.structure) and np.isfinite(score.atoms).all()):
        raise not_finite(detector.axis, seen)
    return score


def score_all_finite(detector: Detector, seen: Sequence[Observation], state: State) -> list[Score]:
    """The same for many structures at once."""
    scores = detector.score_all(seen, state)
    for one, score in zip(seen, scores, strict=True):
        if not (np.isfinite(score.structure) and np.isfinite(score.atoms).all()):
            raise not_finite(detector.axis, one)
    return scores


def not_finite(axis: str, seen: Described) -> ProfileError:
    """The error of a structure without a finite score."""
    return ProfileError(
        f"a structure of {seen.n_atoms} atoms has no finite score on the axis "
        f"{axis}: look for forces or features that are not finite numbers"
    )


def share_below(null: Floats, scores: Floats) -> Floats:
    """Share of ``null`` (sorted) that lies below each score by more than rounding."""
    tolerance = ROUNDING * (1.0 + np.abs(scores))
    return np.asarray(np.searchsorted(null, scores - tolerance, side="left") / len(null))


def _fold_scores(detector: Detector, train: Memory, seed: int) -> dict[int, Score]:
    owners = folds_of(train.structures, FOLDS, seed)
    scores: dict[int, Score] = {}
    for part in np.unique(owners).tolist():
        state = detector.fit(train.without(part, FOLDS, seed))
        pairs = zip(train.structures.values(), owners, strict=True)
        scores |= _scores(detector, [one for one, owner in pairs if owner == part], state)
    return {key: scores[key] for key in train.structures if key in scores}


def _scores(detector: Detector, judged: Iterable[Recalled], state: State) -> dict[int, Score]:
    return {
        one.key: score_finite(detector, one, state)
        for one in judged
        if detector.missing(one) is None
    }
