"""The axis of force norms. At test time there are no true forces, so a proxy stands in."""

from __future__ import annotations

from typing import TYPE_CHECKING, final

from farfield.shifts.axes.norms import levels, no_labels, score_norm
from farfield.shifts.contract import Described, Detector, Score, State

if TYPE_CHECKING:
    from farfield.shifts.remembered.memory import Memory


@final
class ForceNorm(Detector):
    """Mean over the atoms of the norm of the proxy force, eV/Å.

    One-sided: a structure with smaller forces than training (a relaxed one, say) is shifted
    too, but it is not where force fields fail, and raising an alarm there would cost trust.
    """

    axis = "force_norm"
    default = True
    title = "Force norm"
    unit = "eV/Å"
    explanation = (
        "Mean over the atoms of the force norm. The forces are a proxy, named in the table "
        "of facts: reference forces of a test structure are never used."
    )

    def missing(self, seen: Described) -> str | None:
        if seen.norms(self.axis) is not None:
            return None
        return no_labels(seen) or (
            "no proxy forces: give a model, or a prior that was also given to the profile"
        )

    def fit(self, memory: Memory) -> State:
        return levels(memory, self.axis)

    def score(self, seen: Described, state: State) -> Score:
        return score_norm(self.axis, "the mean force", seen, state)
