"""From a score to the force error to expect: learned where labels are known.

An isotonic regression maps the score of one axis to the expected error; a conformal factor on
top of it gives a bound that holds for nine in ten structures like those it was learned from.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.optimize import isotonic_regression

from farfield.errors import ProfileError
from farfield.shifts.contract import Norms, Score
from farfield.structures import folds

Floats = npt.NDArray[np.float64]

LEVEL = 0.9
LEAST_STRUCTURES = 30  # without groups, half of them give the map, half the bound
FLOOR = 1e-3  # of the mean error: what is expected at the least, so that ratios are finite
FOLDS = 5  # of the structures that stand in no group, beside groups


@dataclass(frozen=True)
class ErrorMap:
    """A rising, piecewise linear map from score to expected error.

    Attributes
    ----------
    scores
        Ascending, shape (K,), in the unit of the axis; the last one ends the calibrated range.
    errors
        Expected errors there, not descending, shape (K,), eV/Å.
    extends
        Whether the error goes on in proportion to the score beyond the range.
    """

    scores: Floats
    errors: Floats
    extends: bool = False

    def __call__(self, scores: npt.ArrayLike) -> Floats:
        """Return expected errors, eV/Å: below the range the first, beyond it NaN or the line."""
        given = np.asarray(scores, dtype=float)
        inside = np.interp(given, self.scores, self.errors)
        end = self.scores[-1]
        beyond = self.errors[-1] * given / end if self.extends and end > 0.0 else np.nan
        return np.asarray(np.where(given > end, beyond, inside))


@dataclass(frozen=True)
class ErrorEstimate:
    """The force error to expect of one structure of N atoms; no label was used for it.

    Attributes
    ----------
    expected
        Mean over the atoms of the norm of the force error, eV/Å; None beyond the calibrated
        range.
    upper_90
        Nine in ten structures like the calibration's have no larger error, eV/Å; None beyond
        the calibrated range.
    atoms
        Expected norm of the force error on each atom, eV/Å, shape (N,); NaN beyond the range.
    note
        Why there is no estimate, or that it is extended beyond the range; empty otherwise.
    """

    expected: float | None
    upper_90: float | None
    atoms: Floats
    note: str


@dataclass(frozen=True)
class ErrorCalibration:
    """What the scores of one axis say of the force error, learned on labelled structures.

    Attributes
    ----------
    axis
        The axis whose scores they are.
    structures
        From the score of a structure to the mean over its atoms of the force error's norm.
    atoms
        From the score of an atom to the norm of its force error.
    factor
        The upper bound as a multiple of the expected error of a structure.
    n_structures
        Number of structures that it was learned from.
    """

    axis: str
    structures: ErrorMap
    atoms: ErrorMap
    factor: float
    n_structures: int

    def estimate(self, score: Score) -> ErrorEstimate:
        """Estimate the force error of one structure from its score along :attr:`axis`."""
        expected = float(self.structures(score.structure))
        atoms, end = self.atoms(score.atoms), self.structures.scores[-1]
        if score.structure <= end:
            return ErrorEstimate(expected, self.factor * expected, atoms, "")
        place = (
            f"its score of {score.structure:.3g} lies beyond the calibrated range, which ends at "
            f"{end:.3g}"
        )
        if not np.isfinite(expected):
            return ErrorEstimate(None, None, atoms, place)
        note = f"{place}: the error is taken to grow in proportion"
        return ErrorEstimate(expected, self.factor * expected, atoms, note)

    def arrays(self) -> dict[str, npt.NDArray[np.generic]]:
        """Everything as arrays, for a file."""
        return {
            "axis": np.array(self.axis),
            "structure_scores": self.structures.scores,
            "structure_errors": self.structures.errors,
            "atom_scores": self.atoms.scores,
            "atom_errors": self.atoms.errors,
            "extends": np.array(self.structures.extends),
            "factor": np.array(self.factor),
            "n_structures": np.array(self.n_structures),
        }

    @classmethod
    def from_arrays(cls, arrays: dict[str, npt.NDArray[np.generic]]) -> ErrorCalibration:
        """The calibration that :meth:`arrays` gave."""
        extends = bool(arrays["extends"])

        def restored(kind: str) -> ErrorMap:
            scores, errors = (np.asarray(arrays[f"{kind}_{part}"]) for part in ("scores", "errors"))
            return ErrorMap(scores.astype(float), errors.astype(float), extends)

        return cls(
            axis=str(arrays["axis"]),
            structures=restored("structure"),
            atoms=restored("atom"),
            factor=float(arrays["factor"]),
            n_structures=int(arrays["n_structures"]),
        )


def calibrate(
    axis: str,
    scores: Sequence[Score],
    errors: Sequence[Norms],
    *,
    seed: int = 0,
    groups: Sequence[Hashable | None] | None = None,
) -> ErrorCalibration:
    """Learn what the scores of an axis say of the force error.

    Without groups, a random half of the structures gives the map, the other half the bound: the
    factor that nine in ten of their ratios of true to expected error do not exceed, with the
    correction for their finite number (split conformal). Beyond the map's range its last value
    is the expected error here, which can only raise the factor.

    With groups, which are shifted against training and against each other, each is judged by a
    map that has not seen it, and so is each fifth of the structures that stand in no group
    (cross-conformal; Vovk, "Cross-conformal predictors", Ann. Math. Artif. Intell. 74, 9, 2015).
    The bound holds for nine in ten structures of *every* group, and of those in none: a test
    set is a group of its own, and how groups differ cannot be learned from a few. The map of all
    is kept. Beyond its range the error is taken to grow in proportion to the score, which the
    groups beyond the others' range have judged too.

    Parameters
    ----------
    axis
        The name of the axis.
    scores
        Scores along it of structures that the model was not fitted to.
    errors
        Norms of F_main − F_reference of the same structures, on the atoms of the scores, eV/Å.
    seed
        Of the halves and fifths.
    groups
        One per structure: the shifted group that it belongs to, None for one like training.

    Raises
    ------
    ProfileError
        Fewer than 30 structures, or all of one group.
    """
    if len(scores) < LEAST_STRUCTURES:
        raise ProfileError(
            f"an error estimate needs at least {LEAST_STRUCTURES} labelled held-out structures, "
            f"got {len(scores)}"
        )
    found = np.array([score.structure for score in scores])
    true = np.array([error.mean for error in errors])
    extends = groups is not None
    if groups is None:
        learn, judge = folds(len(found), 2, seed)
        structures = isotonic_map(found[learn], true[learn])
        capped = np.minimum(found[judge], structures.scores[-1])
        factor = conformal_quantile(true[judge] / structures(capped), LEVEL)
    else:
        structures = isotonic_map(found, true, extends=True)
        factor = _factor_of_groups(found, true, groups, seed)
    atoms = np.concatenate([score.atoms for score in scores])
    return ErrorCalibration(
        axis=axis,
        structures=structures,
        atoms=isotonic_map(
            atoms, np.concatenate([error.atoms for error in errors]), extends=extends
        ),
        factor=max(1.0, factor),
        n_structures=len(found),
    )


def isotonic_map(scores: Floats, errors: Floats, *, extends: bool = False) -> ErrorMap:
    """The rising map with the least squared error through pairs, each of shape (n,)."""
    where, inverse, counts = np.unique(scores, return_inverse=True, return_counts=True)
    fitted = isotonic_regression(np.bincount(inverse, weights=errors) / counts, weights=counts)
    ends = np.unique(np.concatenate([fitted.blocks[:-1], fitted.blocks[1:] - 1]))
    floor = max(FLOOR * float(np.mean(errors)), float(np.finfo(float).tiny))
    return ErrorMap(where[ends], np.maximum(fitted.x[ends], floor), extends)


def conformal_quantile(ratios: Floats, level: float) -> float:
    """The value that one more exchangeable ratio exceeds with at most 1 − ``level``.

    Infinite when there are too few ratios to say so.
    """
    place = int(np.ceil(level * (len(ratios) + 1)))
    return float(np.sort(ratios)[place - 1]) if place <= len(ratios) else float("inf")


def _factor_of_groups(
    scores: Floats, errors: Floats, groups: Sequence[Hashable | None], seed: int
) -> float:
    """The largest factor that any group needs, each judged by the map of all others."""
    places: dict[Hashable, list[int]] = {}
    for place, group in enumerate(groups):
        places.setdefault(group, []).append(place)
    alone = places.get(None, [])
    parts = [[alone[place] for place in part] for part in folds(len(alone), FOLDS, seed)]
    parts += [part for group, part in places.items() if group is not None]
    if len(parts) < 2:
        raise ProfileError("an error estimate by groups needs at least two groups, got one")
    ratios = np.empty(len(scores))
    for part in parts:
        rest = np.delete(np.arange(len(scores)), part)
        learned = isotonic_map(scores[rest], errors[rest], extends=True)
        ratios[part] = errors[part] / learned(scores[part])
    found = [conformal_quantile(ratios[part], LEVEL) for part in places.values()]
    known = [factor for factor in found if np.isfinite(factor)]  # a group may be too small
    return max([*known, conformal_quantile(ratios, LEVEL)])
