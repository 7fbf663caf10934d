"""The axis of the prior residual: an error of the model that is known without labels."""

from __future__ import annotations

from typing import TYPE_CHECKING, final

from farfield.shifts.axes.norms import levels, no_labels, norms_of
from farfield.shifts.contract import Described, Detector, Score, State

if TYPE_CHECKING:
    from farfield.shifts.remembered.memory import Memory


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
    default = True
    title = "Prior residual"
    unit = "eV/Å"
    explanation = (
        "Mean over the atoms of the norm of the difference between the forces of the model's "
        "prior head and those of the prior itself: an error of the model, known without labels."
    )

    def missing(self, seen: Described) -> str | None:
        if seen.norms(self.axis) is not None:
            return None
        return no_labels(seen) or (
            "no prior residual: give a prior, and a model with a head of that prior's name"
        )

    def fit(self, memory: Memory) -> State:
        return levels(memory, self.axis)

    def score(self, seen: Described, state: State) -> Score:
        norms = norms_of(seen, self.axis)
        middle, high = state["levels"]
        return Score(
            structure=norms.mean,
            atoms=norms.atoms,
            reason=f"the model misses the prior's forces by {norms.mean:.2f} eV/Å, where the "
            f"structures it was trained on have a median of {middle:.2f} and 95 % below {high:.2f}",
        )
