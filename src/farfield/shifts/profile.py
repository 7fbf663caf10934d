"""The profile of a training set: fitted once, then every test structure is scored against it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from hashlib import sha256
from json import dumps
from typing import Any, final

import numpy as np
import numpy.typing as npt

from farfield.errors import ProfileError
from farfield.shifts.axis import (
    LEAST,
    Axis,
    fit_axis,
    not_finite,
    score_all_finite,
    score_finite,
    share_below,
)
from farfield.shifts.calibration import ErrorCalibration
from farfield.shifts.contract import Score
from farfield.shifts.detectors import DEFAULT, DETECTORS
from farfield.shifts.expected_error import expected_error
from farfield.shifts.observation import Observation
from farfield.shifts.remembered.coreset import Coreset
from farfield.shifts.remembered.memory import HELD_OUT, TRAINING, Memory

Floats = npt.NDArray[np.float64]

VERSION = 5


@final
class Axes(Mapping[str, Axis]):
    """The axes of a profile by name, each fitted when it is first asked for."""

    def __init__(self, train: Memory, held_out: Memory | None, seed: int) -> None:
        self._train, self._held_out, self._seed = train, held_out, seed
        self._found: dict[str, Axis | str] = {}

    def found(self, name: str) -> Axis | str:
        """The axis, or the reason why it cannot be fitted."""
        if name not in self._found:
            detector = DETECTORS[name]
            self._found[name] = fit_axis(detector, self._train, self._held_out, self._seed)
        return self._found[name]

    def __getitem__(self, name: str) -> Axis:
        if name in DETECTORS:
            axis = self.found(name)
            if isinstance(axis, Axis):
                return axis
        raise KeyError(name)

    def __contains__(self, name: object) -> bool:
        return name in DETECTORS and isinstance(self.found(str(name)), Axis)

    def __iter__(self) -> Iterator[str]:
        return (name for name in DETECTORS if name in self)

    def __len__(self) -> int:
        return sum(1 for _ in self)


@dataclass(frozen=True)
class Profile:
    """A training set as the detectors remember it.

    It holds no structure and no label, unless a coreset was asked for.

    Attributes
    ----------
    axes
        The fitted axes by name; the default ones first, then the further ones.
    header
        Plain values: number of structures, cutoff (Å), the model's name and fingerprint, the
        prior, the source of the proxy forces, the seed, farfield's version; ``not_fitted``
        gives the reason for each default axis that is not there.
    error_calibration
        From the scores of one axis to the force error to expect; None when no labelled
        held-out structures were given.
    references
        What the criteria of radius refinement remember of the training graphs, by criterion
        (:func:`farfield.graphs.references`).
    train, held_out
        What is remembered of training structures and of held-out ones; all of the above but
        the header is derived from them.
    coreset
        Labelled training structures to replay; None unless they were asked for.
    """

    axes: Mapping[str, Axis]
    header: dict[str, Any] = field(default_factory=dict)
    error_calibration: ErrorCalibration | None = None
    references: dict[str, Floats] = field(default_factory=dict)
    train: Memory = field(default_factory=Memory)
    held_out: Memory | None = None
    coreset: Coreset | None = None

    @property
    def default_axes(self) -> tuple[str, ...]:
        """The axes that make the combined quantile and that this profile has."""
        return tuple(name for name in DEFAULT if name in self.axes)

    def not_fitted(self, axis: str) -> str:
        """Why an axis is not there; empty when it is."""
        found = self.axes.found(axis) if isinstance(self.axes, Axes) else ""
        return found if isinstance(found, str) else ""

    @cached_property
    def fingerprint(self) -> str:
        """A hash of what the profile was made of: structures, model, prior, settings.

        The same for the same structures in any order and from any merged parts; rounding and
        farfield's own version do not enter.
        """
        content = {key: value for key, value in self.header.items() if key != "farfield"}
        memories = [self.train] if self.held_out is None else [self.train, self.held_out]
        content["structures"] = [[m.totals.count, m.totals.key_sum] for m in memories]
        if self.coreset is not None:
            content["kept"] = self.coreset.keys
        return sha256(dumps(content, sort_keys=True).encode()).hexdigest()[:16]

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

    def score_all(self, axis: str, observations: Sequence[Observation]) -> list[Score]:
        """Score many structures along one axis, as :meth:`score` does."""
        return score_all_finite(DETECTORS[axis], observations, self.axes[axis].state)

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


def remember(observations: Iterable[Observation], *, held_out: bool = False) -> Memory:
    """Look at every structure once, and keep what a profile needs.

    Raises
    ------
    ProfileError
        Forces or features that are not finite numbers.
    """
    memory = Memory(HELD_OUT if held_out else TRAINING)
    for seen in observations:
        _require_finite(seen)
        reasons = {name: detector.missing(seen) for name, detector in DETECTORS.items()}
        memory.add(seen, {name: reason for name, reason in reasons.items() if reason is not None})
    return memory.settle()


def fit(
    observations: Iterable[Observation],
    *,
    seed: int,
    header: dict[str, Any],
    held_out: Iterable[Observation] | None = None,
) -> Profile:
    """Make a profile in one pass over the observations, in bounded memory.

    Null distributions come from ``held_out``: structures like those in training that the
    model was not fitted to, scored against a summary of all of training. Without them they
    come from five seeded folds: each fifth of the remembered training structures is scored
    against a summary of the rest. The model has seen all of them, so that axes made of its
    own errors then look farther than they are for every new structure; the prior residual
    above all. Where at least 30 held-out structures have a force error, a score is
    calibrated to it.

    Quantiles are no finer than the number n of held-out structures that are remembered, at
    most 384: of k axes, up to k / (n + 1) of structures like those in training lie beyond
    all held-out ones along some axis.

    An axis that some structures lack (a prior that failed on them) is fitted on the others, if
    these are at least ten.

    Raises
    ------
    ProfileError
        Fewer than ten structures, or ten held-out ones: quantiles would mean nothing. Or
        forces or features that are not finite.
    """
    train = remember(observations)
    judged = None if held_out is None else remember(held_out, held_out=True)
    return derive(train, judged, {"version": VERSION, "seed": seed, **header})


def derive(
    train: Memory, held_out: Memory | None, header: dict[str, Any], coreset: Coreset | None = None
) -> Profile:
    """The profile of what is remembered; raises as :func:`fit` does."""
    for what, memory in (("training", train), ("held-out", held_out)):
        if memory is not None and memory.totals.count < LEAST:
            raise ProfileError(
                f"a profile needs at least {LEAST} {what} structures, got {memory.totals.count}"
            )
    if held_out is not None and (both := train.structures.keys() & held_out.structures.keys()):
        raise ProfileError(
            f"{len(both)} structures stand in training and among those held out from it: give "
            "structures that the model was not fitted to"
        )
    axes = Axes(train, held_out, header["seed"])
    missing = {name: axes.found(name) for name in DEFAULT if name not in axes}
    calibration, told = expected_error(axes, held_out, header)
    derived: dict[str, Any] = {
        "n_structures": train.totals.count,
        "n_held_out": None if held_out is None else held_out.totals.count,
        "error_estimate": told,
        "not_fitted": missing,
    }
    if coreset is not None:
        derived |= {"coreset": coreset.settings, "n_coreset": len(coreset)}
    return Profile(
        axes,
        {**header, **derived},
        calibration,
        train.references.summaries(),
        train,
        held_out,
        coreset,
    )


def _require_finite(seen: Observation) -> None:
    values = {
        "representation": seen.features,
        "force_norm": seen.forces,
        "prior_force_norm": seen.prior_forces,
        "prior_residual": seen.residual,
    }
    for axis, value in values.items():
        if value is not None and not np.isfinite(value).all():
            raise not_finite(axis, seen)
