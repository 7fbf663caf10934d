"""The profile of a training set: fitted once, then every test structure is scored against it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from farfield.errors import ProfileError
from farfield.files import atomic
from farfield.shifts.connectivity import Connectivity
from farfield.shifts.contract import Detector, Score, State
from farfield.shifts.elements import Elements
from farfield.shifts.force_norm import ForceNorm
from farfield.shifts.observation import Observation
from farfield.shifts.representation import Representation
from farfield.structures import folds

Floats = npt.NDArray[np.float64]

VERSION = 1
FOLDS = 5
KEPT_ATOM_SCORES = 2000
ROUNDING = 1e-6  # of a score: densities and features are kept, and many models run, in float32
DETECTORS: dict[str, Detector] = {
    detector.axis: detector
    for detector in (Elements(), ForceNorm(), Connectivity(), Representation())
}


@dataclass(frozen=True)
class Axis:
    """One fitted axis: the detector's state, and the scores of held-out training structures.

    Attributes
    ----------
    state
        What the detector's ``fit`` returned for all training structures.
    null
        Scores of held-out training structures, shape (n,), sorted.
    atom_null
        Scores of their atoms, evenly thinned to at most 2000, sorted.
    """

    state: State
    null: Floats
    atom_null: Floats


@dataclass(frozen=True)
class Profile:
    """A training set as the detectors remember it; holds no structure and no label.

    Attributes
    ----------
    axes
        The fitted axes by name.
    combined_null
        Largest axis quantile of each held-out training structure, sorted.
    header
        Plain values: number of structures, cutoff (Å), the model's name and fingerprint, the
        prior, the source of the proxy forces, the seed, farfield's version.
    """

    axes: dict[str, Axis]
    combined_null: Floats
    header: dict[str, Any] = field(default_factory=dict)

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
        return _score(DETECTORS[axis], observation, self.axes[axis].state)

    def quantile(self, axis: str, score: float) -> float:
        """Share of held-out training structures that score lower; 1 is beyond all of them."""
        return float(_share_below(self.axes[axis].null, np.array([score]))[0])

    def atom_quantiles(self, axis: str, scores: Floats) -> Floats:
        """The same per atom, against the atoms of held-out training structures."""
        return _share_below(self.axes[axis].atom_null, scores)

    def combined_quantile(self, quantiles: Sequence[float]) -> float:
        """Share of held-out training structures whose largest axis quantile is lower."""
        return float(_share_below(self.combined_null, np.array([max(quantiles)]))[0])


def fit(observations: Sequence[Observation], *, seed: int, header: dict[str, Any]) -> Profile:
    """Fit every axis for which the observations suffice.

    Null distributions come from five seeded folds: each fifth of the training set is scored
    against a summary of the other four. Quantiles are no finer than the training set: of k
    axes and n structures, up to k / (n + 1) of structures like those in training lie beyond
    all held-out ones along some axis, which is more than 1 % below some 100 k structures.

    Raises
    ------
    ProfileError
        Fewer than ten structures: quantiles would mean nothing. Or forces or features that
        are not finite.
    """
    if len(observations) < 2 * FOLDS:
        raise ProfileError(
            f"a profile needs at least {2 * FOLDS} training structures, got {len(observations)}"
        )
    parts = folds(len(observations), FOLDS, seed)
    axes, held_out = {}, []
    for name, detector in DETECTORS.items():
        if any(detector.missing(observation) for observation in observations):
            continue
        scores = _held_out_scores(detector, observations, parts)
        null = np.array([score.structure for score in scores])
        atoms = np.sort(np.concatenate([score.atoms for score in scores]))
        steps = np.linspace(0, len(atoms) - 1, min(KEPT_ATOM_SCORES, len(atoms)))
        axes[name] = Axis(
            state=detector.fit(observations),
            null=np.sort(null),
            atom_null=atoms[steps.round().astype(int)],
        )
        held_out.append(_share_below(np.sort(null), null))
    combined = np.sort(np.max(held_out, axis=0))
    return Profile(axes, combined, {"version": VERSION, "seed": seed, **header})


def save(profile: Profile, path: Path) -> None:
    """Write a profile to one compressed file of arrays, atomically."""
    arrays: dict[str, Any] = {"header": np.array(json.dumps(profile.header, ensure_ascii=False))}
    arrays["combined_null"] = profile.combined_null
    for name, axis in profile.axes.items():
        arrays |= {f"{name}/state/{key}": value for key, value in axis.state.items()}
        arrays |= {f"{name}/null": axis.null, f"{name}/atom_null": axis.atom_null}
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
        return Profile(axes, arrays["combined_null"], header)
    except KeyError as error:
        raise ProfileError(f"{path}: the profile lacks {error}: make it again") from error


def _axis(name: str, arrays: dict[str, Any]) -> Axis:
    prefix = f"{name}/state/"
    state = {k.removeprefix(prefix): v for k, v in arrays.items() if k.startswith(prefix)}
    return Axis(state, arrays[f"{name}/null"], arrays[f"{name}/atom_null"])


def _score(detector: Detector, observation: Observation, state: State) -> Score:
    score = detector.score(observation, state)
    if not (np.isfinite(score.structure) and np.isfinite(score.atoms).all()):
        raise ProfileError(
            f"a structure of {observation.graph.n_atoms} atoms has no finite score on the axis "
            f"{detector.axis}: look for forces or features that are not finite numbers"
        )
    return score


def _held_out_scores(
    detector: Detector, observations: Sequence[Observation], parts: list[list[int]]
) -> list[Score]:
    scores: dict[int, Score] = {}
    for part in parts:
        left_out = set(part)
        rest = [item for index, item in enumerate(observations) if index not in left_out]
        state = detector.fit(rest)
        scores.update({index: _score(detector, observations[index], state) for index in part})
    return [scores[index] for index in range(len(observations))]


def _share_below(null: Floats, scores: Floats) -> Floats:
    """Share of ``null`` (sorted) that lies below each score by more than rounding."""
    tolerance = ROUNDING * (1.0 + np.abs(scores))
    return np.asarray(np.searchsorted(null, scores - tolerance, side="left") / len(null))
