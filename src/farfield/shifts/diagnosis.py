"""The diagnosis of test structures: scores, quantiles, and a verdict with its reason."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import numpy.typing as npt
from ase import Atoms

from farfield.errors import ProfileError
from farfield.shifts.axis import lack
from farfield.shifts.calibration import ErrorEstimate
from farfield.shifts.detectors import DETECTORS, chosen_axes, verdict_axes
from farfield.shifts.observation import Observation
from farfield.shifts.profile import Profile
from farfield.structures import describe

Verdict = Literal["inside", "edge", "outside"]
EDGE, OUTSIDE = 0.95, 0.99


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
    found = [
        _one(atoms, observation, profile, scored, verdict_axes(axes))
        for atoms, observation in zip(structures, observations, strict=True)
    ]
    return Diagnosis(found, not_scored)


def _one(
    atoms: Atoms,
    observation: Observation,
    profile: Profile,
    axes: Sequence[str],
    judging: Sequence[str],
) -> StructureDiagnosis:
    lacking = {axis: DETECTORS[axis].missing(observation) for axis in axes}
    present = [axis for axis in axes if lacking[axis] is None]
    scores = {axis: profile.score(axis, observation) for axis in present}
    quantiles = {axis: profile.quantile(axis, score.structure) for axis, score in scores.items()}
    combining = {axis: share for axis, share in quantiles.items() if axis in judging}
    if not combining:
        reasons = "; ".join(filter(None, lacking.values())) or "the profile was made without them"
        raise ProfileError(
            f"{describe(atoms)} has none of the axes {', '.join(judging)}: {reasons}"
        )
    combined = profile.combined_quantile(combining)
    leading = max(combining, key=lambda axis: combining[axis])
    verdict: Verdict = "outside" if combined > OUTSIDE else "edge" if combined > EDGE else "inside"
    calibration = profile.error_calibration
    judged = scores.get(calibration.axis) if calibration else None
    return StructureDiagnosis(
        file=str(atoms.info.get("farfield_file", "")),
        index=int(atoms.info.get("farfield_index", 0)),
        formula=atoms.get_chemical_formula(),
        n_atoms=len(atoms),
        scores={axis: score.structure for axis, score in scores.items()},
        quantiles=quantiles,
        reasons={axis: score.reason for axis, score in scores.items()},
        atom_quantiles={
            axis: profile.atom_quantiles(axis, score.atoms) for axis, score in scores.items()
        },
        quantile=combined,
        verdict=verdict,
        axis=leading,
        combined_axes=tuple(combining),
        sentence=_sentence(verdict, combined, leading, scores[leading].reason),
        not_scored={axis: reason for axis, reason in lacking.items() if reason is not None},
        error=calibration.estimate(judged) if calibration and judged else None,
    )


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
