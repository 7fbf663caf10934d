"""Do no harm: a refinement acts only with a reason, and keeps its result only if it helped.

Nothing here sees a reference label of a test structure.
"""

from __future__ import annotations

from dataclasses import dataclass

from farfield.shifts import Diagnosis

SHARE_SHIFTED = 0.2  # of the structures must lie at the edge or outside
LEAST_IMPROVEMENT = 0.02  # of the error on held-out structures


@dataclass(frozen=True)
class Criterion:
    """What an adaptation is judged by on held-out test structures, in words.

    Attributes
    ----------
    subject
        What is judged, such as ``"prior head"``.
    measure
        The figure, such as ``"the prior head's force MAE"``.
    error
        The same in short, such as ``"prior error"``.
    """

    subject: str
    measure: str
    error: str


PRIOR_ERROR = Criterion("prior head", "the prior head's force MAE", "prior error")
DISTANCE_TO_TEACHER = Criterion(
    "main head against its teacher",
    "the main head's force MAE against its teacher",
    "distance to the teacher",
)
DENOISING_ERROR = Criterion("denoising head", "the denoising head's force MAE", "denoising error")
DISAGREEMENT = Criterion(
    "main head at a shorter radius",
    "what the main head's forces at a shorter radius differ from its own",
    "disagreement of the radii",
)


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


def improved(start: float, best: float) -> bool:
    """Whether an error fell by enough to count."""
    return best <= (1.0 - LEAST_IMPROVEMENT) * start


def after(
    criterion: Criterion,
    start: float,
    best: float,
    anchor_start: float | None,
    anchor: float | None,
) -> Decision:
    """Did it help: the criterion on held-out structures, and forgetting on the anchor set?

    Parameters
    ----------
    criterion
        What ``start`` and ``best`` are.
    start, best
        Force MAE on held-out test structures, eV/Å, before and after.
    anchor_start, anchor
        Force MAE of the main head on the anchor set, eV/Å; None without one.
    """
    told = f"{criterion.measure} on held-out structures went from {start:.3f} to {best:.3f} eV/Å"
    if anchor is not None and anchor_start is not None:
        told += (
            ", the main head's on training structures that were not replayed from "
            f"{anchor_start:.3f} to {anchor:.3f} eV/Å"
        )
    if not improved(start, best):
        return Decision(
            False,
            f"no step lowered the {criterion.error} on held-out structures by at least 2 % for an "
            f"acceptable loss on training structures: {told}",
        )
    return Decision(True, told)
