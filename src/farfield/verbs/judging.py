"""Judge the scores of a diagnosis by reference labels, after it was made without them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from ase import Atoms

from farfield.benchmarks import bootstrap
from farfield.benchmarks.results.metrics import risk_coverage
from farfield.benchmarks.uncertainty import ScoreQuality, compare_scores
from farfield.errors import ConfigError
from farfield.potentials import Potential
from farfield.reports import Interval, JudgedScore, Judgement
from farfield.shifts import DETECTORS, Diagnosis
from farfield.structures import Labels, require_labels, without_labels

Floats = npt.NDArray[np.float64]
COMBINED = "combined"
BASELINE = "committee"
MOST_POINTS = 60  # of a curve
LEAST = 20


def judge(
    diagnosis: Diagnosis,
    structures: Sequence[Atoms],
    potential: Potential,
    control: str | None = None,
) -> Judgement:
    """Compare the scores of a diagnosis with the true force errors of the model.

    Parameters
    ----------
    diagnosis
        Of the same structures, in their order.
    structures
        With reference forces.
    potential
        The model whose errors they are.
    control
        The file that is like the training set.

    Raises
    ------
    LabelError
        A structure has no reference forces, or levels of theory differ.
    ConfigError
        Fewer than 20 structures.
    """
    if len(structures) < LEAST:
        raise ConfigError(
            f"{len(structures)} structures are too few to judge scores by: at least {LEAST}"
        )
    labels = [known.known_forces for known in _labels(structures)]
    forces = [found.forces for found in potential.predict(without_labels(structures))]
    errors = _norms([own - true for own, true in zip(forces, labels, strict=True)])
    scores = _scores(diagnosis)
    known = np.isfinite(np.stack([errors, *scores.values()])).all(axis=0)
    kept = np.unique(np.linspace(0, known.sum() - 1, MOST_POINTS).round().astype(int))
    rows = []
    for found in compare_scores(errors, scores):
        risk = risk_coverage(errors[known], scores[found.score][known])[kept]
        rows.append(_row(found, risk))
    return Judgement(
        n_structures=int(known.sum()),
        coverage=((kept + 1) / known.sum()).tolist(),
        best=risk_coverage(errors[known], errors[known])[kept].tolist(),
        scores=rows,
        gaps=_gaps(diagnosis, errors, control),
        force_norms=_force_norms(diagnosis, _norms(forces), _norms(labels)),
        covered=_covered(diagnosis, errors),
    )


def force_errors(potential: Potential, structures: Sequence[Atoms]) -> Floats:
    """Mean over the atoms of the norm of the force error of each structure, eV/Å, shape (n,)."""
    predictions = potential.predict(without_labels(structures))
    pairs = zip(predictions, _labels(structures), strict=True)
    return _norms([prediction.forces - known.known_forces for prediction, known in pairs])


def _labels(structures: Sequence[Atoms]) -> list[Labels]:
    return require_labels(structures, purpose="judging the scores")


def _norms(vectors: Sequence[Floats]) -> Floats:
    """Mean over the atoms of the norms of vectors (N, 3) of each structure, shape (n,)."""
    return np.array([np.linalg.norm(each, axis=1).mean() for each in vectors])


def _scores(diagnosis: Diagnosis) -> dict[str, Floats]:
    """The combined quantile, and the score of every axis that most structures have."""
    found = diagnosis.structures
    axes = dict.fromkeys(axis for item in found for axis in item.scores)
    table = {COMBINED: np.array([item.quantile for item in found])}
    for axis in axes:
        scores = np.array([item.scores.get(axis, np.nan) for item in found])
        if np.isfinite(scores).sum() > len(found) / 2:
            table[axis] = scores
    return table


def _row(found: ScoreQuality, risk: Floats) -> JudgedScore:
    combined = found.score == COMBINED
    return JudgedScore(
        title="Combined quantile" if combined else DETECTORS[found.score].title,
        auroc=Interval(**vars(found.auroc)),
        spearman=Interval(**vars(found.spearman)),
        excess_risk=Interval(**vars(found.excess_risk)),
        risk=risk.tolist(),
        is_baseline=found.score == BASELINE,
    )


def _by_file(diagnosis: Diagnosis) -> dict[str, list[int]]:
    places: dict[str, list[int]] = {}
    for place, found in enumerate(diagnosis.structures):
        places.setdefault(found.file or "structures", []).append(place)
    return places


def _gaps(diagnosis: Diagnosis, errors: Floats, control: str | None) -> dict[str, Interval]:
    """Mean error of each file less that of the control, with a bootstrap interval."""
    files = _by_file(diagnosis)
    if control is None:
        return {}

    def gap(shifted: Floats, own: Floats) -> np.floating:
        return np.mean(shifted) - np.mean(own)

    return {
        name: Interval(**vars(bootstrap(gap, errors[places], errors[files[control]])))
        for name, places in files.items()
        if name != control
    }


def _force_norms(
    diagnosis: Diagnosis, by_model: Floats, by_labels: Floats
) -> dict[str, tuple[float, float]]:
    """Mean force norms of each file."""
    return {
        name: (float(by_model[places].mean()), float(by_labels[places].mean()))
        for name, places in _by_file(diagnosis).items()
    }


def _covered(diagnosis: Diagnosis, errors: Floats) -> dict[str, str]:
    """How many errors of each file lie below their bound; empty without an estimate."""
    told = {}
    for name, places in _by_file(diagnosis).items():
        estimates = [(place, diagnosis.structures[place].error) for place in places]
        bounds = [(place, e.upper_90) for place, e in estimates if e and e.upper_90 is not None]
        if bounds:
            below = sum(errors[place] <= bound for place, bound in bounds)
            told[name] = f"{below} of {len(bounds)}"
    return told
