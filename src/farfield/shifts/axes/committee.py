"""The axis of a committee: how much models disagree that differ by their seed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, final

import numpy as np
from ase import Atoms

from farfield.errors import ConfigError, ModelError
from farfield.potentials.contract import Potential
from farfield.shifts.axes.norms import levels, score_norm
from farfield.shifts.contract import Described, Detector, Floats, Score, State
from farfield.structures import describe

if TYPE_CHECKING:
    from farfield.shifts.remembered.memory import Memory


@final
class Committee(Detector):
    """Mean over the atoms of the norm of the standard deviation of the force, eV/Å.

    The usual measure of trust, at the cost of training several models (Lakshminarayanan et
    al., arXiv 1612.01474): what farfield's own axes are compared with. Scored where a committee
    is given; never part of the combined quantile unless it is named.
    """

    axis = "committee"
    title = "Committee"
    unit = "eV/Å"
    explanation = (
        "Mean over the atoms of the norm of the standard deviation of the force over models "
        "that differ by their seed: a baseline."
    )

    def missing(self, seen: Described) -> str | None:
        return None if seen.norms(self.axis) is not None else "no committee was given"

    def fit(self, memory: Memory) -> State:
        return levels(memory, self.axis)

    def score(self, seen: Described, state: State) -> Score:
        return score_norm(self.axis, "the committee's mean disagreement", seen, state)


def disagreement(potentials: Sequence[Potential], structures: Sequence[Atoms]) -> list[Floats]:
    """Standard deviation of each force component over a committee's main heads, (N, 3), eV/Å.

    Raises
    ------
    ConfigError
        A committee of fewer than two.
    ModelError
        A member predicts something that is not a finite number.
    """
    if len(potentials) < 2:
        raise ConfigError(f"a committee needs at least two members, got {len(potentials)}")
    predictions = [potential.predict(structures) for potential in potentials]
    found = []
    for atoms, members in zip(structures, zip(*predictions, strict=True), strict=True):
        spread = np.stack([prediction.forces for prediction in members]).std(axis=0)
        if not np.isfinite(spread).all():
            raise ModelError(
                f"{describe(atoms)}: a member of the committee predicts forces that are not finite "
                "numbers: leave this structure, or this member, out"
            )
        found.append(spread)
    return found
