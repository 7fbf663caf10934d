"""One fitted axis: the detector's summary of training, and what held-out structures score."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from farfield.errors import ProfileError
from farfield.shifts.contract import Detector, Score, State
from farfield.shifts.observation import Observation
from farfield.structures import folds

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
        What the detector's ``fit`` returned for all training structures.
    null
        Scores of held-out structures, shape (n,), sorted.
    atom_null
        Scores of their atoms, evenly thinned to at most 2000, sorted.
    held_out
        Quantile of each held-out structure among them, in the order of the structures and
        the same for all axes; NaN for a structure that could not be scored on this axis.
    """

    state: State
    null: Floats
    atom_null: Floats
    held_out: Floats


def fit_axis(
    detector: Detector,
    observations: Sequence[Observation],
    held_out: Sequence[Observation] | None,
    seed: int,
) -> Axis | str:
    """Fit one axis on the structures that have what it needs, or say why it cannot be.

    Scores of held-out structures are those of ``held_out`` against all of ``observations``;
    without such structures, each of five seeded folds is scored against the other four.
    """
    judged = observations if held_out is None else held_out
    places = [i for i, item in enumerate(judged) if detector.missing(item) is None]
    present = [item for item in observations if detector.missing(item) is None]
    for kept, among in ((present, observations), (places, judged)):
        if len(kept) < LEAST:
            return lack(detector, among) or f"fewer than {LEAST} structures"
    state = detector.fit(present)
    if held_out is None:
        scores = _fold_scores(detector, present, seed)
    else:
        scores = [score_finite(detector, held_out[place], state) for place in places]
    found = np.array([score.structure for score in scores])
    null = np.sort(found)
    quantiles = np.full(len(judged), np.nan)
    quantiles[places] = share_below(null, found)
    atoms = np.sort(np.concatenate([score.atoms for score in scores]))
    steps = np.linspace(0, len(atoms) - 1, min(KEPT_ATOM_SCORES, len(atoms)))
    return Axis(state, null, atoms[steps.round().astype(int)], quantiles)


def lack(detector: Detector, observations: Sequence[Observation]) -> str | None:
    """Say what observations lack for an axis, and how many of them if not all; None if none."""
    reasons = [detector.missing(observation) for observation in observations]
    told = [reason for reason in reasons if reason is not None]
    if not told or len(told) == len(reasons):
        return told[0] if told else None
    return f"{len(told)} of {len(reasons)} structures have {told[0]}"


def score_finite(detector: Detector, observation: Observation, state: State) -> Score:
    """Score one structure; a score that is not a finite number is an error."""
    score = detector.score(observation, state)
    if not (np.isfinite(score.structure) and np.isfinite(score.atoms).all()):
        raise ProfileError(
            f"a structure of {observation.graph.n_atoms} atoms has no finite score on the axis "
            f"{detector.axis}: look for forces or features that are not finite numbers"
        )
    return score


def share_below(null: Floats, scores: Floats) -> Floats:
    """Share of ``null`` (sorted) that lies below each score by more than rounding."""
    tolerance = ROUNDING * (1.0 + np.abs(scores))
    return np.asarray(np.searchsorted(null, scores - tolerance, side="left") / len(null))


def _fold_scores(detector: Detector, observations: Sequence[Observation], seed: int) -> list[Score]:
    scores: dict[int, Score] = {}
    for part in folds(len(observations), FOLDS, seed):
        left_out = set(part)
        rest = [item for index, item in enumerate(observations) if index not in left_out]
        state = detector.fit(rest)
        scores |= {index: score_finite(detector, observations[index], state) for index in part}
    return [scores[index] for index in range(len(observations))]
