"""Error in distribution against error on shifted sets: a point for each model and method."""

from __future__ import annotations

from collections.abc import Sequence

from farfield.reports.contents.board import Standing
from farfield.reports.figures.families import (
    PANEL,
    WIDE,
    draw_legend,
    legend_height,
    logarithmic,
    looks,
)
from farfield.reports.figures.svg import MUTED, OTHER, PAPER, SMALL, new_figure, page_style, to_svg

_HIGH = 300.0


def generalisation_figure(standings: Sequence[Standing], unit: str, key: str) -> str:
    """Return the SVG: hollow is the supervised model, filled what a method made of it.

    Small filled points need the prior at inference, or labels. A cross is the prior alone. On
    the line errors are as large on the shifted sets as in distribution.
    """
    drawn = [s for s in standings if s.control is not None and s.shifted is not None]
    known = looks(s.family for s in standings if s.family)
    top = legend_height(len(known))
    left, right, bottom = PANEL
    with page_style():
        axes = new_figure(_HIGH + bottom + top, left=left, right=right, bottom=bottom, top=top)
        logarithmic(axes, f"error in distribution ({unit})", f"error on shifted sets ({unit})")
        for standing in drawn:
            assert standing.control is not None and standing.shifted is not None
            colour, marker = known.get(standing.family, (MUTED, "x"))
            where, up = standing.control, standing.shifted
            hollow = standing.kind == "supervised"
            size = {"supervised": 10.0, "plain": 7.5}.get(standing.kind, 5.0)
            if hollow:
                axes.plot([where.low, where.high], [up.value] * 2, color=colour, linewidth=1.2)
                axes.plot([where.value] * 2, [up.low, up.high], color=colour, linewidth=1.2)
            axes.plot([where.value], [up.value], marker, markersize=size if marker != "x" else 8,
                      color=PAPER if hollow else colour, markeredgecolor=colour,
                      markeredgewidth=1.8 if hollow or marker == "x" else 0.0,
                      zorder=4 if hollow else 5)  # fmt: skip
        if drawn:
            values = [v for s in drawn for e in (s.control, s.shifted) if e for v in (e.value,)]
            low, high = min(values) / 1.3, max(values) * 1.3
            axes.plot([low, high], [low, high], color=OTHER, linewidth=1, dashes=(4, 3), zorder=1)
            across = [s.control.value for s in drawn if s.control]
            upward = [s.shifted.value for s in drawn if s.shifted]
            axes.set_xlim(min(across) / 1.3, max(across) * 1.3)
            axes.set_ylim(min(*upward, min(across)) / 1.3, max(upward) * 1.5)
        draw_legend(axes, known, WIDE, _HIGH)
        axes.annotate("no worse than in distribution", (0.98, 0.02), xycoords="axes fraction",
                      ha="right", va="bottom", color=MUTED, fontsize=SMALL)  # fmt: skip
        said = "; ".join(
            f"{s.family or 'prior'}, {s.method}: {s.control.value:.0f} and {s.shifted.value:.0f}"
            for s in drawn
            if s.control and s.shifted
        )
        return to_svg(axes, key=key, label=f"Error in distribution and shifted, {unit}: {said}")
