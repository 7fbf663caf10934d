"""How error grows with distance from training, before and after a refinement."""

from __future__ import annotations

from collections.abc import Sequence

from farfield.reports.contents.board import DistanceCurve
from farfield.reports.figures.families import (
    PANEL,
    WIDE,
    draw_legend,
    legend_height,
    logarithmic,
    looks,
)
from farfield.reports.figures.svg import EDGE, MUTED, SMALL, new_figure, page_style, to_svg

_HIGH = 300.0


def error_distance_figure(
    curves: Sequence[DistanceCurve], families: Sequence[str], unit: str, key: str
) -> str:
    """Return the SVG: full lines are supervised models, dashed ones what a method made of them.

    Bands are 95 % intervals. At 1 lie 95 % of held-out training structures to the left on the
    axis that is farthest out.
    """
    known = looks(families)
    top = legend_height(len(known))
    left, right, bottom = PANEL
    with page_style():
        axes = new_figure(_HIGH + bottom + top, left=left, right=right, bottom=bottom, top=top)
        logarithmic(axes, "distance from training (95 % line = 1)", f"error ({unit})")
        for curve in curves:
            colour, marker = known[curve.family]
            line = (0, (4, 2)) if curve.refined else "-"
            means = [error.value for error in curve.errors]
            low, high = ([getattr(e, name) for e in curve.errors] for name in ("low", "high"))
            axes.fill_between(curve.distances, low, high, color=colour, alpha=0.13, linewidth=0)
            axes.plot(curve.distances, means, marker, color=colour, linestyle=line, linewidth=1.8,
                      markersize=5 if curve.refined else 6, markeredgewidth=0)  # fmt: skip
        axes.axvline(1.0, color=EDGE, linewidth=1.2, dashes=(4, 3), zorder=1)
        axes.annotate("95 % line", (1.0, 0.0), (4, 4), xycoords=("data", "axes fraction"),
                      textcoords="offset points", color=MUTED, fontsize=SMALL)  # fmt: skip
        low_y, high_y = axes.get_ylim()
        axes.set_ylim(low_y, high_y * 1.25)  # room for its name
        draw_legend(axes, known, WIDE, _HIGH)
        said = "; ".join(
            f"{curve.family}, {curve.method}: from {curve.errors[0].value:.0f} to "
            f"{curve.errors[-1].value:.0f}"
            for curve in curves
        )
        return to_svg(axes, key=key, label=f"Error against distance from training, {unit}: {said}")
