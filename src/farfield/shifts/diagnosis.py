"""The diagnosis of test structures: scores, quantiles, and a verdict with its reason."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Literal

import numpy as np
import numpy.typing as npt
from ase import Atoms
from ase.symbols import Symbols

from farfield.errors import ProfileError
from farfield.shifts.axis import lack, share_below
from farfield.shifts.calibration import ErrorEstimate
from farfield.shifts.contract import Score
from farfield.shifts.detectors import DETECTORS, chosen_axes, verdict_axes
from farfield.shifts.observation import Observation
from farfield.shifts.profile import Profile
from farfield.structures import describe

Verdict = Literal["inside", "edge", "outside"]
Floats = npt.NDArray[np.float64]
Null = tuple[Floats, dict[float, float]]  # held-out quantiles, and shares below some of them
Mark = tuple[Score, float, Floats]  # a score, its quantile, those of the atoms, shape (N,)

EDGE, OUTSIDE = 0.95, 0.99
TOGETHER = 256  # structures that are scored together


@dataclass(frozen=True)
class StructureDiagnosis:
    """What was found for one structure of N atoms.

    Attributes
    ----------
    file, index, formula, n_atoms
        Which structure it is.
    scores, quantiles, reasons
        By axis. A quantile is the share of held-out structures that score lower.
    atom_quantiles
        By axis, shape (N,).
    quantile
        Combined over those of the default (or named) axes that this structure has, against
        held-out structures on the same axes.
    verdict
        ``"inside"`` up to 0.95, ``"edge"`` up to 0.99, ``"outside"`` above.
    axis
        The one of these axes with the largest quantile.
    sentence
        The verdict and its reason in one sentence.
    combined_axes
        The axes of which ``quantile`` is made.
    not_scored
        Axes on which other structures of the set have a score and this one has none, and why.
    error
        The force error to expect; None without a calibrated profile or a prior residual.
    """

    file: str
    index: int
    formula: str
    n_atoms: int
    scores: dict[str, float]
    quantiles: dict[str, float]
    reasons: dict[str, str]
    atom_quantiles: dict[str, npt.NDArray[np.float64]]
    quantile: float
    verdict: Verdict
    axis: str
    sentence: str
    combined_axes: tuple[str, ...] = ()
    not_scored: dict[str, str] = field(default_factory=dict)
    error: ErrorEstimate | None = None


@dataclass(frozen=True)
class Diagnosis:
    """The diagnosis of a set of structures.

    Attributes
    ----------
    structures
        One entry per structure, in order.
    not_scored
        Axes on which no structure has a score, and why.
    """

    structures: list[StructureDiagnosis]
    not_scored: dict[str, str]

    @property
    def axes(self) -> tuple[str, ...]:
        """Axes on which at least one structure has a score."""
        return tuple(
            axis for axis in DETECTORS if any(axis in found.scores for found in self.structures)
        )

    @property
    def partly_scored(self) -> dict[str, str]:
        """Axes on which some structures have no score, and why."""
        told: dict[str, list[str]] = {}
        for found in self.structures:
            for axis, reason in found.not_scored.items():
                told.setdefault(axis, []).append(reason)
        return {
            axis: f"{len(reasons)} of {len(self.structures)} structures have {reasons[0]}"
            for axis, reasons in told.items()
        }


def diagnose(
    structures: Sequence[Atoms],
    observations: Sequence[Observation],
    profile: Profile,
    axes: Sequence[str] | str | None = None,
    beside: Sequence[str] = (),
) -> Diagnosis:
    """Score each structure along every axis that the profile and its observation have.

    Parameters
    ----------
    structures, observations
        In the same order.
    profile
        What they are scored against.
    axes
        None for the default axes, or names, of which the combined quantile is then made;
        ``"all"`` scores all axes and combines the default ones.
    beside
        Further axes to score that do not enter the combined quantile for that.

    Raises
    ------
    ProfileError
        A structure has none of the axes of the combined quantile.
    """
    not_scored = {}
    asked = tuple(dict.fromkeys((*chosen_axes(axes), *beside)))
    for name in asked:
        reason = lack(DETECTORS[name], observations)
        if name not in profile.axes:
            not_scored[name] = "the profile was made without it" + (f"; {reason}" if reason else "")
        elif reason and all(DETECTORS[name].missing(observation) for observation in observations):
            not_scored[name] = reason
    scored = [name for name in asked if name not in not_scored]
    found: list[StructureDiagnosis] = []
    nulls: dict[tuple[str, ...], Null] = {}
    for start in range(0, len(structures), TOGETHER):
        part = slice(start, start + TOGETHER)
        marks = {axis: _marks(observations[part], profile, axis) for axis in scored}
        found += [
            _one(atoms, observation, place, profile, marks, verdict_axes(axes), nulls)
            for place, (atoms, observation) in enumerate(
                zip(structures[part], observations[part], strict=True)
            )
        ]
    return Diagnosis(found, not_scored)


def _marks(observations: Sequence[Observation], profile: Profile, axis: str) -> list[Mark | str]:
    """What each structure is given on one axis, or why it has nothing there."""
    reasons = [DETECTORS[axis].missing(observation) for observation in observations]
    present = [one for one, reason in zip(observations, reasons, strict=True) if reason is None]
    scores = profile.score_all(axis, present)
    known = profile.axes[axis]
    quantiles = share_below(known.null, np.array([score.structure for score in scores]))
    atoms = [score.atoms for score in scores]
    ends = np.cumsum([len(each) for each in atoms])[:-1]
    shares = np.split(share_below(known.atom_null, np.concatenate([*atoms, np.zeros(0)])), ends)
    given = iter(zip(scores, quantiles.tolist(), shares, strict=False))
    return [next(given) if reason is None else reason for reason in reasons]


def _one(
    atoms: Atoms,
    observation: Observation,
    place: int,
    profile: Profile,
    marks: dict[str, list[Mark | str]],
    judging: Sequence[str],
    nulls: dict[tuple[str, ...], Null],
) -> StructureDiagnosis:
    given = {axis: of_axis[place] for axis, of_axis in marks.items()}
    lacking = {axis: reason for axis, reason in given.items() if isinstance(reason, str)}
    marked = {axis: mark for axis, mark in given.items() if not isinstance(mark, str)}
    scores = {axis: score for axis, (score, _, _) in marked.items()}
    quantiles = {axis: quantile for axis, (_, quantile, _) in marked.items()}
    combining = {axis: share for axis, share in quantiles.items() if axis in judging}
    if not combining:
        reasons = "; ".join(lacking.values()) or "the profile was made without them"
        raise ProfileError(
            f"{describe(atoms)} has none of the axes {', '.join(judging)}: {reasons}"
        )
    combined = _combined(combining, profile, nulls)
    leading = max(combining, key=lambda axis: combining[axis])
    verdict: Verdict = "outside" if combined > OUTSIDE else "edge" if combined > EDGE else "inside"
    calibration = profile.error_calibration
    judged = scores.get(calibration.axis) if calibration else None
    return StructureDiagnosis(
        file=str(atoms.info.get("farfield_file", "")),
        index=int(atoms.info.get("farfield_index", 0)),
        formula=_formula(atoms.numbers.tobytes()),
        n_atoms=len(atoms),
        scores={axis: score.structure for axis, score in scores.items()},
        quantiles=quantiles,
        reasons={axis: score.reason for axis, score in scores.items()},
        atom_quantiles={axis: shares for axis, (_, _, shares) in marked.items()},
        quantile=combined,
        verdict=verdict,
        axis=leading,
        combined_axes=tuple(combining),
        sentence=_sentence(verdict, combined, leading, scores[leading].reason),
        not_scored=lacking,
        error=calibration.estimate(judged) if calibration and judged else None,
    )


@lru_cache(maxsize=1024)
def _formula(numbers: bytes) -> str:
    return str(Symbols(np.frombuffer(numbers, dtype=int)).get_chemical_formula())


def _combined(
    quantiles: dict[str, float], profile: Profile, nulls: dict[tuple[str, ...], Null]
) -> float:
    """:meth:`Profile.combined_quantile`, with the null distribution of each set of axes kept."""
    axes = tuple(quantiles)
    if axes not in nulls:
        nulls[axes] = profile.combined_null(axes), {}
    null, found = nulls[axes]
    largest = max(quantiles.values())
    if largest not in found:
        found[largest] = float(share_below(null, np.array([largest]))[0])
    return found[largest]


def _sentence(verdict: Verdict, quantile: float, axis: str, reason: str) -> str:
    title = DETECTORS[axis].title.lower()
    if verdict == "inside":
        return f"Inside the training domain; farthest along {title}: {reason}."
    place = "Outside" if verdict == "outside" else "At the edge of"
    share = "all" if quantile >= 1.0 else f"{min(100 * quantile, 99.9):.1f} % of the"
    return (
        f"{place} the training domain along {title}, farther than {share} held-out structures, "
        f"because {reason}."
    )
