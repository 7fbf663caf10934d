"""Scores that tell large errors without labels, beside the errors they should tell."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
from ase import Atoms

from farfield.benchmarks.bench import EVIDENCE_SEED
from farfield.benchmarks.tasks.task import CONTROL
from farfield.benchmarks.zoo import Recipe, Zoo
from farfield.potentials import TrainablePotential
from farfield.refinement.force_error import left_out_errors
from farfield.shifts import Observation, diagnose, observe
from farfield.shifts.expected_error import LEFT_OUT, LeftOutError, to_plain
from farfield.shifts.profile import fit
from farfield.structures import folds, require_labels, without_labels

Floats = npt.NDArray[np.float64]
PARTS = 3  # of the control: one is judged, the others are held out for the profile
COMBINED = "combined quantile"


@dataclass(frozen=True)
class Detection:
    """One model of a task on n structures that it was not trained on.

    Attributes
    ----------
    sets
        Which set each structure belongs to.
    errors
        Mean over the atoms of the norm of the force error, eV/Å, shape (n,).
    scores
        By axis, shape (n,); NaN where a structure has none.
    expected, upper
        Force error to expect and its 90 % bound, eV/Å, shape (n,); NaN beyond the calibrated
        range.
    """

    sets: list[str]
    errors: Floats
    scores: dict[str, Floats]
    expected: Floats
    upper: Floats

    def to_plain(self) -> dict[str, Any]:
        """Everything as plain values, for a file; what is not a number becomes None."""
        return {
            "sets": self.sets,
            "errors": _plain(self.errors),
            "scores": {name: _plain(values) for name, values in self.scores.items()},
            "expected": _plain(self.expected),
            "upper": _plain(self.upper),
        }

    @classmethod
    def from_plain(cls, content: dict[str, Any]) -> Detection:
        """What :meth:`to_plain` gave."""
        scores = {name: _numbers(values) for name, values in content["scores"].items()}
        rest = (_numbers(content[name]) for name in ("expected", "upper"))
        return cls(content["sets"], _numbers(content["errors"]), scores, *rest)


def detect(zoo: Zoo, seed: int, members: Sequence[int]) -> Detection:
    """Score every structure of a task's sets, by a profile that saw none of their labels.

    The model is the jointly trained one, and so are those of the committee. Two thirds of the
    control are the profile's held-out structures; their labels, and those of compositions left
    out of joint trainings, calibrate the error estimate. The rest is judged, as are all shifted
    sets.

    Parameters
    ----------
    zoo
        The models of the task.
    seed
        Which of them.
    members
        Seeds of the committee; the model itself may be one.
    """
    model = zoo.model(Recipe("joint", seed))
    control = zoo.task.structures(zoo.task.control)
    judged, *rest = folds(len(control), PARTS, seed)
    held_out = [control[place] for part in rest for place in part]
    sets = {CONTROL: [control[place] for place in judged]}
    sets |= {name: zoo.task.structures(chosen) for name, chosen in zoo.task.shifted.items()}
    structures = [atoms for part in sets.values() for atoms in part]
    training = [atoms for atoms in zoo.training if len(atoms) > 1]

    committee = [zoo.model(Recipe("joint", member)) for member in members]

    def look(at: Sequence[Atoms]) -> list[Observation]:
        bare = without_labels(at)
        return observe(
            bare,
            potential=model,
            prior_labels=zoo.prior_labels(bare),
            prior_head=zoo.prior.name,
            committee=committee,
        )

    header = {"model": model.name, LEFT_OUT: to_plain(_left_out(zoo))}
    errors = _force_errors(model, held_out)
    labelled = [
        replace(seen, force_error=error) for seen, error in zip(look(held_out), errors, strict=True)
    ]
    profile = fit(look(training), seed=seed, header=header, held_out=labelled)
    found = diagnose(structures, look(structures), profile, "all").structures
    axes = dict.fromkeys(axis for item in found for axis in item.scores)
    scores = {axis: np.array([item.scores.get(axis, np.nan) for item in found]) for axis in axes}
    scores[COMBINED] = np.array([item.quantile for item in found])
    true = [np.linalg.norm(each, axis=1).mean() for each in _force_errors(model, structures)]
    estimates = [item.error for item in found]
    return Detection(
        sets=[name for name, part in sets.items() for _ in part],
        errors=np.array(true),
        scores=scores,
        expected=_numbers([None if each is None else each.expected for each in estimates]),
        upper=_numbers([None if each is None else each.upper_90 for each in estimates]),
    )


def _left_out(zoo: Zoo) -> list[LeftOutError]:
    """Both heads' errors on compositions left out of joint trainings of one seed."""
    recipe = Recipe("joint", EVIDENCE_SEED)
    return [
        found
        for group, left in enumerate(zoo.left_out)
        for found in left_out_errors(
            zoo.model(replace(recipe, without=group)), zoo.training, left, zoo.prior, group
        )
    ]


def _force_errors(model: TrainablePotential, structures: Sequence[Atoms]) -> list[Floats]:
    """Force of the main head less the reference, each (N, 3), eV/Å."""
    labels = require_labels(structures, purpose="judging scores")
    predictions = model.predict(without_labels(structures))
    pairs = zip(predictions, labels, strict=True)
    return [prediction.forces - label.known_forces for prediction, label in pairs]


def _numbers(values: Sequence[float | None]) -> Floats:
    return np.array([np.nan if value is None else value for value in values])


def _plain(values: Floats) -> list[float | None]:
    return [float(value) if np.isfinite(value) else None for value in values]
