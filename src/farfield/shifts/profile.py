"""The profile of a training set: fitted once, then every test structure is scored against it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from farfield.errors import ProfileError
from farfield.files import atomic
from farfield.graphs import references
from farfield.shifts.axis import LEAST, Axis, fit_axis, score_finite, share_below
from farfield.shifts.calibration import ErrorCalibration
from farfield.shifts.connectivity import Connectivity
from farfield.shifts.contract import Detector, Score
from farfield.shifts.elements import Elements
from farfield.shifts.force_norm import ForceNorm
from farfield.shifts.observation import Observation
from farfield.shifts.prior_residual import PriorResidual
from farfield.shifts.representation import Representation

Floats = npt.NDArray[np.float64]

VERSION = 2
CALIBRATION = "error_calibration/"  # the beginning of its keys in the file
REFERENCES = "references/"  # likewise
DETECTORS: dict[str, Detector] = {
    detector.axis: detector
    for detector in (Elements(), ForceNorm(), Connectivity(), Representation(), PriorResidual())
}


@dataclass(frozen=True)
class Profile:
    """A training set as the detectors remember it; holds no structure and no label.

    Attributes
    ----------
    axes
        The fitted axes by name.
    header
        Plain values: number of structures, cutoff (Å), the model's name and fingerprint, the
        prior, the source of the proxy forces, the seed, farfield's version; ``not_fitted``
        gives the reason for each axis that is not there.
    error_calibration
        From the scores of one axis to the force error to expect; None when no labelled
        held-out structures were given.
    references
        What the criteria of radius refinement remember of the training graphs, by criterion
        (:func:`farfield.graphs.references`).
    """

    axes: dict[str, Axis]
    header: dict[str, Any] = field(default_factory=dict)
    error_calibration: ErrorCalibration | None = None
    references: dict[str, Floats] = field(default_factory=dict)

    @property
    def cutoff(self) -> float:
        """Radius of the graphs, Å."""
        return float(self.header["cutoff"])

    def score(self, axis: str, observation: Observation) -> Score:
        """Score one structure along one axis.

        Raises
        ------
        ProfileError
            A score is not a finite number: what was observed, or the profile, holds NaN.
        """
        return score_finite(DETECTORS[axis], observation, self.axes[axis].state)

    def quantile(self, axis: str, score: float) -> float:
        """Share of held-out structures that score lower; 1 is beyond all of them."""
        return float(share_below(self.axes[axis].null, np.array([score]))[0])

    def atom_quantiles(self, axis: str, scores: Floats) -> Floats:
        """The same per atom, against the atoms of held-out structures."""
        return share_below(self.axes[axis].atom_null, scores)

    def combined_null(self, axes: Iterable[str]) -> Floats:
        """Largest quantile of each held-out structure over some axes, sorted.

        Held-out structures that could not be scored on all of these axes are left out.
        """
        table = np.stack([self.axes[axis].held_out for axis in axes])  # (axes, n)
        return np.sort(table.max(axis=0)[~np.isnan(table).any(axis=0)])

    def combined_quantile(self, quantiles: Mapping[str, float]) -> float:
        """Share of held-out structures whose largest quantile over the same axes is lower."""
        null = self.combined_null(quantiles)
        return float(share_below(null, np.array([max(quantiles.values())]))[0])


def fit(
    observations: Sequence[Observation],
    *,
    seed: int,
    header: dict[str, Any],
    held_out: Sequence[Observation] | None = None,
    error_calibration: ErrorCalibration | None = None,
) -> Profile:
    """Fit every axis for which the observations suffice.

    Null distributions come from ``held_out``: structures like those in training that the
    model was not fitted to, scored against a summary of all of training. Without them they
    come from five seeded folds: each fifth of the training set is scored against a summary of
    the other four. The model has seen all five, so that axes made of its own errors then look
    farther than they are for every new structure; the prior residual above all.

    Quantiles are no finer than the number n of held-out structures: of k axes, up to
    k / (n + 1) of structures like those in training lie beyond all held-out ones along some
    axis, which is more than 1 % below some 100 k structures.

    An axis that some structures lack (a prior that failed on them) is fitted on the others, if
    these are at least ten.

    Raises
    ------
    ProfileError
        Fewer than ten structures, or ten held-out ones: quantiles would mean nothing. Or
        forces or features that are not finite.
    """
    for what, group in (("training", observations), ("held-out", held_out)):
        if group is not None and len(group) < LEAST:
            raise ProfileError(
                f"a profile needs at least {LEAST} {what} structures, got {len(group)}"
            )
    found = {
        name: fit_axis(detector, observations, held_out, seed)
        for name, detector in DETECTORS.items()
    }
    axes = {name: axis for name, axis in found.items() if isinstance(axis, Axis)}
    not_fitted = {name: reason for name, reason in found.items() if isinstance(reason, str)}
    plain = {"version": VERSION, "seed": seed, **header, "not_fitted": not_fitted}
    known = references([observation.graph for observation in observations])
    return Profile(axes, plain, error_calibration, known)


def save(profile: Profile, path: Path) -> None:
    """Write a profile to one compressed file of arrays, atomically."""
    arrays: dict[str, Any] = {"header": np.array(json.dumps(profile.header, ensure_ascii=False))}
    for name, axis in profile.axes.items():
        arrays |= {f"{name}/state/{key}": value for key, value in axis.state.items()}
        arrays |= {f"{name}/null": axis.null, f"{name}/atom_null": axis.atom_null}
        arrays |= {f"{name}/held_out": axis.held_out}
    if profile.error_calibration is not None:
        kept = profile.error_calibration.arrays()
        arrays |= {f"{CALIBRATION}{key}": value for key, value in kept.items()}
    arrays |= {f"{REFERENCES}{key}": value for key, value in profile.references.items()}
    with atomic(path) as partial, partial.open("wb") as handle:
        np.savez_compressed(handle, allow_pickle=False, **arrays)


def load(path: Path) -> Profile:
    """Read a profile.

    Raises
    ------
    ProfileError
        The file is missing, damaged, not a profile, or of another version.
    """
    if not path.exists():
        raise ProfileError(f"{path}: no such file: make a profile with  farfield profile")
    try:
        with path.open("rb") as handle, np.load(handle, allow_pickle=False) as content:
            arrays = {key: content[key] for key in content.files}
        header = json.loads(str(arrays.pop("header")))
        found = header["version"]
    except Exception as error:
        raise ProfileError(f"{path}: not a readable farfield profile: make it again") from error
    if found != VERSION:
        raise ProfileError(
            f"{path}: a profile of version {found}, this farfield reads version "
            f"{VERSION}: make it again with  farfield profile"
        )
    try:
        axes = {name: _axis(name, arrays) for name in DETECTORS if f"{name}/null" in arrays}
        calibration = _below(CALIBRATION, arrays)
        return Profile(
            axes,
            header,
            ErrorCalibration.from_arrays(calibration) if calibration else None,
            _below(REFERENCES, arrays),
        )
    except KeyError as error:
        raise ProfileError(f"{path}: the profile lacks {error}: make it again") from error


def _axis(name: str, arrays: dict[str, Any]) -> Axis:
    return Axis(
        state=_below(f"{name}/state/", arrays),
        null=arrays[f"{name}/null"],
        atom_null=arrays[f"{name}/atom_null"],
        held_out=arrays[f"{name}/held_out"],
    )


def _below(prefix: str, arrays: dict[str, Any]) -> dict[str, Any]:
    return {k.removeprefix(prefix): v for k, v in arrays.items() if k.startswith(prefix)}
