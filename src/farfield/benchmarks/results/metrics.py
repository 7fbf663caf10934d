"""Errors, and how sure they are."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from ase import Atoms

from farfield.errors import LabelError
from farfield.potentials import Prediction
from farfield.structures import Labels

Floats = npt.NDArray[np.float64]
RESAMPLES = 2000


@dataclass(frozen=True)
class Estimate:
    """A value with the limits of its 95 % bootstrap interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Errors:
    """Errors of predictions over n structures.

    Attributes
    ----------
    n_structures
        Number of structures.
    force_mae
        Mean over the structures of each one's mean absolute error of the force components,
        eV/Å, with a bootstrap interval over structures.
    force_rmse
        Root mean square error over all force components, eV/Å.
    force_mae_median, force_mae_q25, force_mae_q75
        Median and quartiles over the structures, eV/Å.
    energy_mae_per_atom
        Mean absolute error of the energy per atom, eV, after the best constant for each
        composition has been subtracted; None without energies, or when no composition has
        two structures.
    """

    n_structures: int
    force_mae: Estimate
    force_rmse: float
    force_mae_median: float
    force_mae_q25: float
    force_mae_q75: float
    energy_mae_per_atom: float | None


def errors(
    structures: Sequence[Atoms], predictions: Sequence[Prediction], labels: Sequence[Labels]
) -> Errors:
    """Compare predictions with reference labels (forces needed, energies used if there)."""
    if not structures:
        raise LabelError("there is no structure to evaluate")
    each = structure_force_mae(predictions, labels)
    squares = [
        np.square(prediction.forces - label.known_forces).ravel()
        for prediction, label in zip(predictions, labels, strict=True)
    ]
    q25, median, q75 = np.quantile(each, [0.25, 0.5, 0.75])
    return Errors(
        n_structures=len(structures),
        force_mae=bootstrap(np.mean, each),
        force_rmse=float(np.sqrt(np.mean(np.concatenate(squares)))),
        force_mae_median=float(median),
        force_mae_q25=float(q25),
        force_mae_q75=float(q75),
        energy_mae_per_atom=_energy_mae(structures, predictions, labels),
    )


def structure_force_mae(predictions: Sequence[Prediction], labels: Sequence[Labels]) -> Floats:
    """Mean absolute error of the force components of each structure, eV/Å, shape (n,)."""
    return np.array(
        [
            np.abs(prediction.forces - label.known_forces).mean()
            for prediction, label in zip(predictions, labels, strict=True)
        ]
    )


def structure_energy_errors(
    structures: Sequence[Atoms], predictions: Sequence[Prediction], labels: Sequence[Labels]
) -> Floats:
    """Absolute error of the energy per atom of each structure, eV, shape (n,).

    The median difference of each composition among these structures has been subtracted: the
    energies of two sources differ by a constant.
    """
    formulas = np.array([atoms.get_chemical_formula() for atoms in structures])
    differences = np.array(
        [
            (prediction.energy - label.known_energy) / len(atoms)
            for atoms, prediction, label in zip(structures, predictions, labels, strict=True)
        ]
    )
    for formula in np.unique(formulas):
        differences[formulas == formula] -= np.median(differences[formulas == formula])
    return np.asarray(np.abs(differences))


def bootstrap(statistic: Callable[..., np.floating], *samples: Floats, seed: int = 0) -> Estimate:
    """Statistic of one or more samples, with a 95 % interval by resampling each of them."""
    random = np.random.default_rng(seed)
    values = [
        float(statistic(*(random.choice(sample, len(sample)) for sample in samples)))
        for _ in range(RESAMPLES)
    ]
    low, high = np.quantile(values, [0.025, 0.975])
    return Estimate(float(statistic(*samples)), float(low), float(high))


def auroc(control: Floats, shifted: Floats) -> np.floating:
    """Probability that a shifted structure scores above one of the control; ties count half."""
    from scipy.stats import rankdata

    ranks = rankdata(np.concatenate([control, shifted]))
    above = ranks[len(control) :].sum() - len(shifted) * (len(shifted) + 1) / 2
    return np.float64(above / (len(control) * len(shifted)))


def spearman(scores: Floats, errors: Floats) -> np.floating:
    """Rank correlation of scores and errors, each of shape (n,); NaN when one is constant."""
    first, second = (ranks - ranks.mean() for ranks in (_ranks(scores), _ranks(errors)))
    size = np.sqrt((first @ first) * (second @ second))
    return np.float64(first @ second / size if size > 0.0 else np.nan)


def worst(errors: Floats, share: float = 0.1) -> npt.NDArray[np.bool_]:
    """Mask of the given share of largest errors, at least one of them, shape (n,).

    Errors equal to the smallest of these belong to them too.
    """
    count = max(1, round(share * len(errors)))
    return np.asarray(errors >= np.sort(errors)[-count])


def risk_coverage(errors: Floats, scores: Floats) -> Floats:
    """Mean error of the k structures with the smallest scores, for k = 1 to n, shape (n,).

    Structures with equal scores are taken in no order: each counts with their mean error.
    """
    _, inverse, counts = np.unique(scores, return_inverse=True, return_counts=True)
    means = np.bincount(inverse, weights=errors) / counts
    ordered = np.repeat(means, counts)
    return np.asarray(np.cumsum(ordered) / np.arange(1, len(errors) + 1))


def excess_risk(scores: Floats, errors: Floats) -> np.floating:
    """Area under the risk-coverage curve: 0 is that of the errors' own order, 1 that of chance.

    Chance has the mean error at every coverage. Below chance it exceeds 1; NaN when all
    errors are alike. After Geifman et al., "Bias-reduced uncertainty estimation for deep
    neural classifiers" (arXiv 1805.08206), divided by what chance has.
    """
    best = risk_coverage(errors, errors).mean()
    room = errors.mean() - best
    found = risk_coverage(errors, scores).mean() - best
    return np.float64(found / room if room > 0.0 else np.nan)


def coverage(errors: Floats, bounds: Floats) -> np.floating:
    """Share of the errors that do not exceed their upper bounds, each of shape (n,)."""
    return np.float64(np.mean(errors <= bounds))


def calibration_error(expected: Floats, errors: Floats, bins: int = 10) -> np.floating:
    """How far expected errors are from true ones on average, in their unit.

    Structures are sorted by the expected error and cut into bins of nearly equal number; the
    mean over the structures of the distance between their bin's mean expected and mean true
    error. 0 is right on average in every bin; noise alone makes it larger the smaller bins
    are.
    """
    parts = np.array_split(np.argsort(expected, kind="stable"), min(bins, len(expected)))
    gaps = [len(part) * abs(expected[part].mean() - errors[part].mean()) for part in parts]
    return np.float64(np.sum(gaps) / len(expected))


def _ranks(values: Floats) -> Floats:
    """Ranks from 1, the mean rank for ties; SciPy's take three times as long for 300."""
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    return np.asarray((np.cumsum(counts) - (counts - 1) / 2)[inverse])


def _energy_mae(
    structures: Sequence[Atoms], predictions: Sequence[Prediction], labels: Sequence[Labels]
) -> float | None:
    groups: dict[str, list[tuple[float, int]]] = defaultdict(list)
    for atoms, prediction, label in zip(structures, predictions, labels, strict=True):
        if label.energy is not None:
            formula = atoms.get_chemical_formula()
            groups[formula].append((prediction.energy - label.energy, len(atoms)))
    found: list[float] = []
    for members in groups.values():
        if len(members) > 1:
            middle = np.median([difference for difference, _ in members])
            found += [abs(difference - middle) / count for difference, count in members]
    return float(np.mean(found)) if found else None
