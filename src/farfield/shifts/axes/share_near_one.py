"""The axis of the share of eigenvalues near one, as in arXiv 2503.08674."""

from __future__ import annotations

from typing import TYPE_CHECKING, final

import numpy as np

from farfield.shifts.contract import Described, Detector, Score, State

if TYPE_CHECKING:
    from farfield.shifts.remembered.memory import Memory


@final
class ShareNearOne(Detector):
    """How far the share of eigenvalues in [0.9, 1.1] lies outside the middle half of training."""

    axis = "share_near_one"
    title = "Share of eigenvalues near one"
    unit = "share of the eigenvalues"
    explanation = (
        "How far the share of eigenvalues in [0.9, 1.1] of the plain graph Laplacian lies outside "
        "the middle half of training."
    )

    def missing(self, seen: Described) -> str | None:
        return None

    def fit(self, memory: Memory) -> State:
        shares = [one.share_near_one for one in memory.structures.values()]
        return {"range": np.quantile(shares, [0.25, 0.75])}

    def score(self, seen: Described, state: State) -> Score:
        low, high = (float(end) for end in state["range"])
        share = seen.share_near_one
        distance = max(share - high, low - share, 0.0)
        return Score(
            structure=distance,
            atoms=np.full(len(seen.numbers), distance),
            reason=f"{100 * share:.0f} % of the eigenvalues of its graph lie in [0.9, 1.1], where "
            f"half of training has {100 * low:.0f} to {100 * high:.0f} %",
        )
