"""The axis of force norms. At test time there are no true forces, so a proxy stands in."""

from __future__ import annotations

from collections.abc import Sequence
from typing import final

import numpy as np

from farfield.shifts.contract import Detector, Score, State
from farfield.shifts.observation import Observation


@final
class ForceNorm(Detector):
    """Mean over the atoms of the norm of the proxy force, eV/Å.

    One-sided: a structure with smaller forces than training (a relaxed one, say) is shifted
    too, but it is not where force fields fail, and raising an alarm there would cost trust.
    """

    axis = "force_norm"
    title = "Force norm"
    unit = "eV/Å"
    explanation = (
        "Mean over the atoms of the force norm. The forces are a proxy, named in the table "
        "of facts: reference forces of a test structure are never used."
    )

    def missing(self, observation: Observation) -> str | None:
        if observation.forces is not None:
            return None
        if observation.prior_failure is not None:
            return f"no labels of the prior ({observation.prior_failure})"
        return "no proxy forces: give a model, or a prior that was also given to the profile"

    def fit(self, observations: Sequence[Observation]) -> State:
        means = [norms(observation).mean() for observation in observations]
        return {"levels": np.quantile(means, [0.5, 0.95])}

    def score(self, observation: Observation, state: State) -> Score:
        atoms = norms(observation)
        middle, high = state["levels"]
        mean = float(atoms.mean())
        return Score(
            structure=mean,
            atoms=atoms,
            reason=f"the mean force is {mean:.2f} eV/Å, where training has a median of "
            f"{middle:.2f} and 95 % below {high:.2f}",
        )


def norms(observation: Observation) -> np.ndarray:
    """Norm of the proxy force on each atom, shape (N,), eV/Å."""
    assert observation.forces is not None
    return np.asarray(np.linalg.norm(observation.forces, axis=1))
