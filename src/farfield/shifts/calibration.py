"""From the prior residual to the force error to expect: learned where labels are known.

An isotonic regression maps the residual to the expected error; a split-conformal factor on
top of it gives a bound that holds for nine in ten structures like those it was learned from.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.optimize import isotonic_regression

from farfield.errors import ProfileError
from farfield.structures import folds

Floats = npt.NDArray[np.float64]

LEVEL = 0.9
LEAST_STRUCTURES = 30  # half of them give the map, half the bound
FLOOR = 1e-3  # of the mean error: what is expected at the least, so that ratios are finite


@dataclass(frozen=True)
class ErrorMap:
    """A rising, piecewise linear map from residual to expected error, both eV/Å.

    Attributes
    ----------
    residuals
        Ascending, shape (K,); the last one ends the calibrated range.
    errors
        Expected errors there, not descending, shape (K,).
    """

    residuals: Floats
    errors: Floats

    def __call__(self, residuals: Floats) -> Floats:
        """Return expected errors: NaN beyond the calibrated range, the first one below it."""
        return np.interp(residuals, self.residuals, self.errors, right=np.nan)


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
        Why there is no estimate; empty when there is one.
    """

    expected: float | None
    upper_90: float | None
    atoms: Floats
    note: str


@dataclass(frozen=True)
class ErrorCalibration:
    """What the residual says of the error, learned on labelled held-out structures.

    Attributes
    ----------
    structures
        From the mean over the atoms of the residual's norm to that of the force error's norm.
    atoms
        From the residual's norm to the force error's norm of one atom.
    factor
        The upper bound as a multiple of the expected error of a structure.
    n_structures
        Number of structures that it was learned from.
    """

    structures: ErrorMap
    atoms: ErrorMap
    factor: float
    n_structures: int

    def estimate(self, residual: Floats) -> ErrorEstimate:
        """Estimate the force error of one structure from its residual, shape (N, 3), eV/Å."""
        norms = np.linalg.norm(residual, axis=1)
        expected = float(self.structures(norms.mean()))
        if np.isfinite(expected):
            return ErrorEstimate(expected, self.factor * expected, self.atoms(norms), "")
        note = (
            f"its residual of {norms.mean():.3g} eV/Å lies beyond the calibrated range, which ends "
            f"at {self.structures.residuals[-1]:.3g}"
        )
        return ErrorEstimate(None, None, self.atoms(norms), note)

    def arrays(self) -> dict[str, Floats]:
        """Everything as arrays, for a file."""
        return {
            "structure_residuals": self.structures.residuals,
            "structure_errors": self.structures.errors,
            "atom_residuals": self.atoms.residuals,
            "atom_errors": self.atoms.errors,
            "factor": np.array(self.factor),
            "n_structures": np.array(self.n_structures),
        }

    @classmethod
    def from_arrays(cls, arrays: dict[str, Floats]) -> ErrorCalibration:
        """The calibration that :meth:`arrays` gave."""
        return cls(
            structures=ErrorMap(arrays["structure_residuals"], arrays["structure_errors"]),
            atoms=ErrorMap(arrays["atom_residuals"], arrays["atom_errors"]),
            factor=float(arrays["factor"]),
            n_structures=int(arrays["n_structures"]),
        )


def calibrate(
    residuals: Sequence[Floats],
    errors: Sequence[Floats],
    *,
    seed: int = 0,
    groups: Sequence[Hashable] | None = None,
) -> ErrorCalibration:
    """Learn what the prior residual says of the force error.

    A random half of the structures gives the map, the other half the bound: the factor that
    nine in ten of their ratios of true to expected error do not exceed, with the correction
    for their finite number. Beyond the map's range its last value is the expected error here,
    which can only raise the factor.

    Parameters
    ----------
    residuals
        F_prior-head − F_prior of structures that the model was not fitted to, each (N, 3), eV/Å.
    errors
        F_main − F_reference of the same structures, each (N, 3), eV/Å.
    seed
        Of the halves.
    groups
        One per structure, such as its molecule: a group then stands in one half alone, and the
        bound is judged on groups that the map has not seen. Needs at least two groups.

    Raises
    ------
    ProfileError
        Fewer than 30 structures, or groups that leave too few on one side.
    """
    if len(residuals) < LEAST_STRUCTURES:
        raise ProfileError(
            f"an error estimate needs at least {LEAST_STRUCTURES} labelled held-out structures, "
            f"got {len(residuals)}"
        )
    atom_residuals = [np.linalg.norm(residual, axis=1) for residual in residuals]
    atom_errors = [np.linalg.norm(error, axis=1) for error in errors]
    means = np.array([norms.mean() for norms in atom_residuals])
    true = np.array([norms.mean() for norms in atom_errors])
    learn, judge = _halves(len(means), groups, seed)
    structures = isotonic_map(means[learn], true[learn])
    expected = structures(np.minimum(means[judge], structures.residuals[-1]))
    factor = conformal_quantile(true[judge] / expected, LEVEL)
    if not np.isfinite(factor):
        raise ProfileError(
            f"the bound of an error estimate needs more than {len(judge)} structures beside those "
            "of the map: give more structures, or more and smaller groups"
        )
    return ErrorCalibration(
        structures=structures,
        atoms=isotonic_map(np.concatenate(atom_residuals), np.concatenate(atom_errors)),
        factor=max(1.0, factor),
        n_structures=len(means),
    )


def isotonic_map(residuals: Floats, errors: Floats) -> ErrorMap:
    """The rising map with the least squared error through pairs, each of shape (n,), eV/Å."""
    where, inverse, counts = np.unique(residuals, return_inverse=True, return_counts=True)
    fitted = isotonic_regression(np.bincount(inverse, weights=errors) / counts, weights=counts)
    ends = np.unique(np.concatenate([fitted.blocks[:-1], fitted.blocks[1:] - 1]))
    floor = max(FLOOR * float(np.mean(errors)), float(np.finfo(float).tiny))
    return ErrorMap(where[ends], np.maximum(fitted.x[ends], floor))


def conformal_quantile(scores: Floats, level: float) -> float:
    """The value that one more exchangeable score exceeds with at most 1 − ``level``.

    Infinite when there are too few scores to say so.
    """
    place = int(np.ceil(level * (len(scores) + 1)))
    return float(np.sort(scores)[place - 1]) if place <= len(scores) else float("inf")


def _halves(
    count: int, groups: Sequence[Hashable] | None, seed: int
) -> tuple[list[int], list[int]]:
    """Two halves of the structures; those of one group stay together."""
    names = list(range(count)) if groups is None else list(groups)
    known = list(dict.fromkeys(names))
    if len(known) < 2:
        raise ProfileError("an error estimate by groups needs at least two groups, got one")
    first = {known[place] for place in folds(len(known), 2, seed)[0]}
    places = list(zip(range(count), names, strict=True))
    learn = [place for place, name in places if name in first]
    return learn, [place for place, name in places if name not in first]
