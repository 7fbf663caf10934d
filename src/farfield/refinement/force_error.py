"""What a profile learns of the force error to expect, from structures that were held out."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from ase import Atoms

from farfield.errors import LabelError
from farfield.potentials import TrainablePotential
from farfield.priors import Prior
from farfield.shifts import DETECTORS, ErrorCalibration, Observation, Profile, Score, calibrate
from farfield.shifts.calibration import LEAST_STRUCTURES
from farfield.structures import LeftOut, describe, labels_of, require_labels, without_labels

Floats = npt.NDArray[np.float64]

PRIOR_RESIDUAL = "prior_residual"
PREFERRED = (PRIOR_RESIDUAL, "representation", "force_norm")  # as benchmarks/diagnosis ranks them


@dataclass(frozen=True)
class LeftOutError:
    """Both heads' errors on one structure of N atoms whose composition was left out of training.

    Attributes
    ----------
    group
        Number of the group that was left out.
    residual
        F_prior-head − F_prior, shape (N, 3), eV/Å.
    error
        F_main − F_reference, shape (N, 3), eV/Å.
    """

    group: int
    residual: Floats
    error: Floats


def left_out_errors(
    potential: TrainablePotential,
    structures: Sequence[Atoms],
    left: LeftOut,
    prior: Prior,
    group: int,
) -> list[LeftOutError]:
    """Both heads' errors on the group that a model was not trained on."""
    chosen = [structures[place] for place in left.outside]
    reference = require_labels(chosen, purpose="the error estimate")
    cheap = require_labels(chosen, prior.label_name, purpose="the error estimate")
    bare = without_labels(chosen)
    main, other = potential.predict(bare), potential.predict(bare, prior.name)
    return [
        LeftOutError(group, second.forces - known.known_forces, first.forces - truth.known_forces)
        for first, second, truth, known in zip(main, other, reference, cheap, strict=True)
    ]


def force_error_estimate(
    profile: Profile,
    structures: Sequence[Atoms],
    observations: Sequence[Observation],
    left_out: Sequence[LeftOutError],
    seed: int,
) -> tuple[ErrorCalibration | None, str]:
    """Calibrate the first preferred axis that the profile has, and say on what.

    Parameters
    ----------
    profile
        With its axes fitted.
    structures, observations
        Held-out structures, those with reference forces count.
    left_out
        Of structures whose compositions were left out of training: they carry the estimate
        beyond the domain of training. For the axis of the prior residual alone.
    seed
        Of the parts that judge the bound.

    Raises
    ------
    LabelError
        A label is not a finite number.
    """
    if profile.header["model"] is None:
        return None, "none: without a model there is no force error to expect"
    axis = next(name for name in PREFERRED if name in profile.axes)  # a model gives forces
    scores: list[Score] = []
    errors: list[Floats] = []
    for atoms, observation in zip(structures, observations, strict=True):
        labels = labels_of(atoms)
        if labels is None or labels.forces is None or DETECTORS[axis].missing(observation):
            continue
        if not np.isfinite(labels.forces).all():
            raise LabelError(f"{describe(atoms)}: its 'REF' label is not a finite number")
        assert observation.forces is not None  # there is a model
        scores.append(profile.score(axis, observation))
        errors.append(observation.forces - labels.forces)
    title = DETECTORS[axis].title.lower()
    if len(scores) < LEAST_STRUCTURES:
        return None, (
            f"none: {len(scores)} held-out structures have reference forces and a score along "
            f"{title}, at least {LEAST_STRUCTURES} are needed"
        )
    told = f"from the {title}, calibrated on {len(scores)} labelled held-out structures"
    if axis != PRIOR_RESIDUAL or not left_out:
        return calibrate(axis, scores, errors, seed=seed), told
    groups: list[Hashable | None] = [None] * len(scores)
    groups += [found.group for found in left_out]
    scores += [_score(found.residual) for found in left_out]
    errors += [found.error for found in left_out]
    more = f" and {len(left_out)} whose compositions were left out of training"
    return calibrate(axis, scores, errors, seed=seed, groups=groups), told + more


def _score(residual: Floats) -> Score:
    """The score along the axis of the prior residual."""
    norms = np.linalg.norm(residual, axis=1)
    return Score(float(norms.mean()), norms, "")
