"""Do no harm: a refinement acts only with a reason, and keeps its result only if it helped.

Nothing here sees a reference label of a test structure.
"""

from __future__ import annotations

from dataclasses import dataclass

from farfield.shifts import Diagnosis

SHARE_SHIFTED = 0.2  # of the structures must lie at the edge or outside
LEAST_IMPROVEMENT = 0.02  # of the held-out prior error


@dataclass(frozen=True)
class Decision:
    """Whether to act, and the sentence that says why."""

    act: bool
    reason: str


def before(diagnosis: Diagnosis) -> Decision:
    """Is there a reason to refine at all: do the structures lie outside the training domain?"""
    count = len(diagnosis.structures)
    shifted = sum(structure.verdict != "inside" for structure in diagnosis.structures)
    share = f"{shifted} of {count} structures lie at the edge of the training domain or outside"
    if shifted < SHARE_SHIFTED * count:
        return Decision(False, f"only {share}: there is nothing to mend")
    return Decision(True, share)


def after(start: float, best: float, anchor_start: float | None, anchor: float | None) -> Decision:
    """Did it help: prior error on held-out structures, and forgetting on the anchor set?

    Parameters
    ----------
    start, best
        Force MAE of the prior head on held-out test structures, eV/Å, before and after.
    anchor_start, anchor
        Force MAE of the main head on the anchor set, eV/Å; None without one.
    """
    told = f"the prior head's force MAE on held-out structures went from {start:.3f} to {best:.3f}"
    told += " eV/Å"
    if anchor is not None and anchor_start is not None:
        told += (
            ", the main head's on training structures that were not replayed from "
            f"{anchor_start:.3f} to {anchor:.3f} eV/Å"
        )
    if best > (1.0 - LEAST_IMPROVEMENT) * start:
        return Decision(
            False,
            "no step lowered the prior error on held-out structures by at least 2 % for an "
            f"acceptable loss on training structures: {told}",
        )
    return Decision(True, told)
