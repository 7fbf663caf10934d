"""What a profile learns of the force error to expect, from structures that were held out."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from farfield.shifts.axis import Axis
from farfield.shifts.calibration import LEAST_STRUCTURES, ErrorCalibration, calibrate
from farfield.shifts.contract import Floats, Norms, Score
from farfield.shifts.detectors import DETECTORS
from farfield.shifts.remembered.memory import Memory
from farfield.shifts.remembered.recalled import Recalled

LEFT_OUT = "left_out_errors"  # in the header of a profile
PRIOR_RESIDUAL, FORCE_ERROR = "prior_residual", "force_error"
OTHERS = ("representation", "force_norm")  # which of them is better differs between models
MOST_LEFT_OUT = 256  # structures that a profile keeps
MOST_ATOMS = 16  # of each of them
DIGITS = 4


@dataclass(frozen=True)
class LeftOutError:
    """Both heads' errors on one structure whose composition was left out of training.

    Attributes
    ----------
    group
        Number of the group that was left out.
    residual
        Norms of F_prior-head − F_prior, eV/Å.
    error
        Norms of F_main − F_reference on the same atoms, eV/Å.
    """

    group: int
    residual: Norms
    error: Norms

    @classmethod
    def of(cls, group: int, residual: Floats, error: Floats) -> LeftOutError:
        """From the vectors on N atoms, each (N, 3), eV/Å."""
        chosen = np.unique(np.linspace(0, len(residual) - 1, MOST_ATOMS).round().astype(int))
        norms = [np.linalg.norm(vectors, axis=1) for vectors in (residual, error)]
        return cls(group, *(Norms(float(each.mean()), each[chosen]) for each in norms))


def to_plain(found: Sequence[LeftOutError]) -> list[dict[str, Any]]:
    """At most 256 of them, evenly chosen, as plain values for a header."""
    count = min(len(found), MOST_LEFT_OUT)
    places = np.linspace(0, len(found) - 1, count).round().astype(int)
    return [
        {
            "group": found[place].group,
            "residual": _plain(found[place].residual),
            "error": _plain(found[place].error),
        }
        for place in places
    ]


def expected_error(
    axes: Mapping[str, Axis], held_out: Memory | None, header: Mapping[str, Any]
) -> tuple[ErrorCalibration | None, str]:
    """Calibrate the axis that tells the error best, and say on what.

    That is the prior residual where the profile has it (benchmarks/diagnosis), else the axis
    whose scores have the highest rank correlation with the error on the held-out structures.
    Structures whose compositions were left out of training (in the header) carry the estimate
    beyond the domain of training, on the axis of the prior residual alone.

    Parameters
    ----------
    axes
        Those of the profile.
    held_out
        What is remembered of held-out structures; those with a force error count.
    header
        Of the profile.
    """
    if held_out is None:
        return None, "none: no labelled held-out structures were given"
    if header.get("model", "") is None:
        return None, "none: without a model there is no force error to expect"
    candidates = [PRIOR_RESIDUAL] if PRIOR_RESIDUAL in axes else [a for a in OTHERS if a in axes]
    if not candidates:
        return None, "none: the profile has no axis that tells force errors: give --model"
    pairs = {name: _pairs(held_out, name, axes[name]) for name in candidates}
    axis = max(candidates, key=lambda name: _rank_correlation(pairs[name]))
    known = pairs[axis]
    title = DETECTORS[axis].title.lower()
    if len(known) < LEAST_STRUCTURES:
        return None, (
            f"none: {len(known)} held-out structures have reference forces and a score along "
            f"{title}, at least {LEAST_STRUCTURES} are needed"
        )
    scores, errors = [score for score, _ in known], [error for _, error in known]
    told = f"from the {title}, calibrated on {len(known)} labelled held-out structures"
    left_out = header.get(LEFT_OUT, [])
    if axis != PRIOR_RESIDUAL or not left_out:
        return calibrate(axis, scores, errors, seed=header["seed"]), told
    groups: list[Hashable | None] = [None] * len(known)
    groups += [found["group"] for found in left_out]
    scores += [_score(_norms(found["residual"])) for found in left_out]
    errors += [_norms(found["error"]) for found in left_out]
    more = f" and {len(left_out)} whose compositions were left out of training"
    return calibrate(axis, scores, errors, seed=header["seed"], groups=groups), told + more


def _pairs(held_out: Memory, axis: str, fitted: Axis) -> list[tuple[Score, Norms]]:
    """Score and force error of every structure that has both."""
    found = [_pair(one, axis, fitted) for one in held_out.structures.values()]
    return [pair for pair in found if pair is not None]


def _rank_correlation(pairs: Sequence[tuple[Score, Norms]]) -> float:
    """Of scores and errors; -1 where one of them is the same for all."""
    values = np.array([(score.structure, error.mean) for score, error in pairs]).reshape(-1, 2)
    if len(values) < 2 or np.any(values.max(axis=0) == values.min(axis=0)):
        return -1.0
    ranks = values.argsort(axis=0).argsort(axis=0)
    return float(np.corrcoef(ranks[:, 0], ranks[:, 1])[0, 1])


def _pair(one: Recalled, axis: str, fitted: Axis) -> tuple[Score, Norms] | None:
    """Score and force error of one structure, on the same atoms; None where one is missing."""
    error = one.norms(FORCE_ERROR)
    if error is None or DETECTORS[axis].missing(one) is not None:
        return None
    if axis == PRIOR_RESIDUAL and len(one.labelled):  # all its atoms are known
        residuals, errors = one.labelled.astype(float).T
        return Score(float(residuals.mean()), residuals, ""), Norms(error.mean, errors)
    return DETECTORS[axis].score(one, fitted.state), error


def _score(residual: Norms) -> Score:
    """The score along the axis of the prior residual."""
    return Score(residual.mean, residual.atoms, "")


def _plain(norms: Norms) -> list[float]:
    """The mean, then the atoms."""
    return [round(float(value), DIGITS) for value in (norms.mean, *norms.atoms)]


def _norms(plain: Sequence[float]) -> Norms:
    return Norms(plain[0], np.array(plain[1:]))
