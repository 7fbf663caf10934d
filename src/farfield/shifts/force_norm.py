"""The axes of force norms. At test time there are no true forces, so a proxy stands in."""

from __future__ import annotations

from typing import TYPE_CHECKING, final

from farfield.shifts.contract import Described, Detector, Score, State
from farfield.shifts.norms import levels, no_labels, norms_of

if TYPE_CHECKING:
    from farfield.shifts.memory import Memory


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
        return _score(self.axis, "the mean force", seen, state)


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
        return _score(self.axis, "the prior's mean force", seen, state)


def _score(name: str, what: str, seen: Described, state: State) -> Score:
    norms = norms_of(seen, name)
    middle, high = state["levels"]
    return Score(
        structure=norms.mean,
        atoms=norms.atoms,
        reason=f"{what} is {norms.mean:.2f} eV/Å, where training has a median of "
        f"{middle:.2f} and 95 % below {high:.2f}",
    )
