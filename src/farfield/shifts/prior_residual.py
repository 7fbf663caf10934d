"""The axis of the prior residual: an error of the model that is known without labels."""

from __future__ import annotations

from collections.abc import Sequence
from typing import final

import numpy as np
import numpy.typing as npt

from farfield.shifts.contract import Detector, Score, State
from farfield.shifts.observation import Observation


@final
class PriorResidual(Detector):
    """Mean over the atoms of the norm of F_prior-head − F_prior, eV/Å.

    The prior head stands on the same representation as the main head, and its error on a
    structure can be computed: the prior is there to be asked. Far from training both heads
    err alike, because it is the representation that fails.

    The model was fitted to its training structures, whose residuals are therefore smaller
    than those of new structures of the same kind: without held-out structures (see
    :func:`farfield.shifts.profile.fit`), the null distribution of this axis is too narrow.
    """

    axis = "prior_residual"
    title = "Prior residual"
    unit = "eV/Å"
    explanation = (
        "Mean over the atoms of the norm of the difference between the forces of the model's "
        "prior head and those of the prior itself: an error of the model, known without labels."
    )

    def missing(self, observation: Observation) -> str | None:
        if observation.residual is not None:
            return None
        if observation.prior_failure is not None:
            return f"no labels of the prior ({observation.prior_failure})"
        return "no prior residual: give a prior, and a model with a head of that prior's name"

    def fit(self, observations: Sequence[Observation]) -> State:
        means = [residual_norms(observation).mean() for observation in observations]
        return {"levels": np.quantile(means, [0.5, 0.95])}

    def score(self, observation: Observation, state: State) -> Score:
        atoms = residual_norms(observation)
        middle, high = state["levels"]
        mean = float(atoms.mean())
        return Score(
            structure=mean,
            atoms=atoms,
            reason=f"the model misses the prior's forces by {mean:.2f} eV/Å, where the structures "
            f"it was trained on have a median of {middle:.2f} and 95 % below {high:.2f}",
        )


def residual_norms(observation: Observation) -> npt.NDArray[np.float64]:
    """Norm of the prior residual on each atom, shape (N,), eV/Å."""
    assert observation.residual is not None
    return np.asarray(np.linalg.norm(observation.residual, axis=1))
