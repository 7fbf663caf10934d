"""The axis of force norms by a prior, beside those by the model."""

from __future__ import annotations

from typing import TYPE_CHECKING, final

from farfield.shifts.axes.norms import levels, no_labels, score_norm
from farfield.shifts.contract import Described, Detector, Score, State

if TYPE_CHECKING:
    from farfield.shifts.remembered.memory import Memory


@final
class PriorForceNorm(Detector):
    """The same with the forces of a prior, a second proxy beside the model's own forces.

    Far from training the model's own forces may be as wrong as anything else that it says;
    a prior was fitted to nothing, or to other structures.
    """

    axis = "prior_force_norm"
    title = "Force norm by the prior"
    unit = "eV/Å"
    explanation = (
        "Mean over the atoms of the norm of the prior's forces: a second proxy beside the "
        "model's own forces."
    )

    def missing(self, seen: Described) -> str | None:
        if seen.norms(self.axis) is not None:
            return None
        return no_labels(seen) or "no forces of a prior beside a model's: give both"

    def fit(self, memory: Memory) -> State:
        return levels(memory, self.axis)

    def score(self, seen: Described, state: State) -> Score:
        return score_norm(self.axis, "the prior's mean force", seen, state)
