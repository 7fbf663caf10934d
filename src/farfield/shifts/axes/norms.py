"""Axes whose score is the mean over the atoms of a norm, compared with training's."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from farfield.errors import ProfileError
from farfield.shifts.contract import Described, Norms, Score, State

if TYPE_CHECKING:
    from farfield.shifts.remembered.memory import Memory


def levels(memory: Memory, name: str) -> State:
    """Median and 95 % quantile of the means of training structures, eV/Å."""
    found = [one.norms(name) for one in memory.structures.values()]
    means = [norms.mean for norms in found if norms is not None]
    return {"levels": np.quantile(means, [0.5, 0.95])}


def norms_of(seen: Described, name: str) -> Norms:
    """The norms of a structure that is not missing them."""
    found = seen.norms(name)
    if found is None:
        raise ProfileError(f"a structure of {seen.n_atoms} atoms has no {name}: ask missing first")
    return found


def no_labels(seen: Described) -> str | None:
    """Say that the prior failed on a structure, if it did."""
    failure = seen.prior_failure
    return None if failure is None else f"no labels of the prior ({failure})"


def score_norm(name: str, what: str, seen: Described, state: State) -> Score:
    """Score the mean of a norm; ``what`` begins the reason."""
    norms = norms_of(seen, name)
    middle, high = state["levels"]
    return Score(
        structure=norms.mean,
        atoms=norms.atoms,
        reason=f"{what} is {norms.mean:.2f} eV/Å, where training has a median of "
        f"{middle:.2f} and 95 % below {high:.2f}",
    )
