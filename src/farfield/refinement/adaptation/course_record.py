"""An adaptation in figures, a curve and reasons."""

from __future__ import annotations

from farfield.refinement import gate
from farfield.refinement.adaptation.judgement import Course, Judgement
from farfield.refinement.contract import Curve, Record


def course_record(method: str, criterion: gate.Criterion, course: Course) -> Record:
    """What happened, in figures and a curve, and whether the result is to be kept."""
    judgements, kept = course.judgements, course.kept
    start = judgements[0]
    decision = gate.after(criterion, start.held_out, kept.held_out, start.anchor, kept.anchor)
    figures = {
        "best step": float(kept.step),
        f"{criterion.subject}, force MAE held out, before, eV/Å": start.held_out,
        f"{criterion.subject}, force MAE held out, after, eV/Å": kept.held_out,
    }
    series = {f"{criterion.subject}, held-out test structures": [j.held_out for j in judgements]}
    anchors = [j.anchor for j in judgements if j.anchor is not None]
    if start.anchor is not None and kept.anchor is not None:
        figures["main head, force MAE on the anchor set, before, eV/Å"] = start.anchor
        figures["main head, force MAE on the anchor set, after, eV/Å"] = kept.anchor
        series["main head, anchor set (training structures not replayed)"] = anchors
    if kept.share != 1.0:
        figures["share of the way from the start to this step"] = kept.share
    curve = Curve("Force MAE", "eV/Å", [j.step for j in judgements], series, kept=kept.step)
    curves = [curve, *_agreement(judgements, kept)]
    if start.agreement is not None:
        figures["cosine of the gradients of learning and replay at the start"] = start.agreement
    reasons = [decision.reason]
    if kept is start and len(judgements) > 1:
        lowest = min(judgements[1:], key=lambda judgement: judgement.held_out)
        rejected = f"the lowest {criterion.error} was {lowest.held_out:.3f} eV/Å"
        rejected += f", at step {lowest.step}"
        if lowest.anchor is not None:
            rejected += f", with {lowest.anchor:.3f} eV/Å on the training structures"
        reasons.append(rejected)
    return Record(method, decision.act, reasons, figures, curves)


def _agreement(judgements: list[Judgement], kept: Judgement) -> list[Curve]:
    """The curve of the agreement of gradients, where there is one."""
    cosines = [j.agreement for j in judgements if j.agreement is not None]
    if len(cosines) < len(judgements):
        return []
    steps, series = [j.step for j in judgements], {"learning and replay": cosines}
    return [Curve("Cosine of the gradients", "", steps, series, kept=kept.step)]
