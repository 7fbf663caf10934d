"""What stopped the replicas: a row for each cause, a column for each model."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

from matplotlib.axes import Axes

from farfield.reports.contents import Causes
from farfield.reports.figures.svg import (
    DONE,
    FAR,
    INK,
    MUTED,
    RULE,
    SMALL,
    TEXT,
    WIDTH,
    new_panels,
    page_style,
    shorten,
    to_svg,
)

_ROW, _TOP, _BOTTOM = 26.0, 36.0, 6.0
_LEFT, _GAP, _RIGHT = 132.0, 32.0, 24.0
_ALIVE = "alive at the end"


def causes_figure(columns: Sequence[Causes], key: str = "causes") -> str:
    """Return the SVG: bars of replicas per cause, the commonest cause first, those alive last."""
    totals: dict[str, int] = {}
    for column in columns:
        for cause, count in column.counts.items():
            totals[cause] = totals.get(cause, 0) + count
    causes = sorted((cause for cause in totals if totals[cause]), key=lambda name: -totals[name])
    rows = [*causes, _ALIVE]
    with page_style():
        height = _TOP + _BOTTOM + _ROW * len(rows)
        width = (WIDTH - _LEFT - _RIGHT - _GAP * (len(columns) - 1)) / len(columns)
        boxes = [
            (_LEFT + place * (width + _GAP), _BOTTOM, width, height - _TOP - _BOTTOM)
            for place in range(len(columns))
        ]
        panels = new_panels(height, boxes)
        for axes, column in zip(panels, columns, strict=True):
            _column(axes, column, causes, width)
        for place, cause in enumerate(rows):
            panels[0].annotate(
                shorten(cause, 21), (0.0, place), (-10, 0), xycoords=("axes fraction", "data"),
                textcoords="offset points", ha="right", va="center", fontsize=TEXT,
                color=MUTED if cause == _ALIVE else INK,
            )  # fmt: skip
        said = [
            f"{column.name}: {', '.join(f'{n} {cause}' for cause, n in column.counts.items() if n)}"
            f"{'; ' if any(column.counts.values()) else ''}{column.alive} alive"
            for column in columns
        ]
        return to_svg(panels[0], key=key, label=f"What stopped the replicas. {'. '.join(said)}")


def _column(axes: Axes, column: Causes, causes: list[str], width: float) -> None:
    counts = [column.counts.get(cause, 0) for cause in causes] + [column.alive]
    places = range(len(counts))
    axes.set_xlim(0, max(1, column.replicas))
    axes.set_ylim(len(counts) - 0.5, -0.5)
    axes.set_xticks([])
    axes.set_yticks([])
    axes.spines["bottom"].set_visible(False)
    axes.axhline(len(causes) - 0.5, color=RULE, linewidth=0.8)
    axes.barh(places, max(1, column.replicas), 0.5, color=RULE, alpha=0.45)
    axes.barh(places, counts, 0.5, color=[FAR] * len(causes) + [DONE])
    for place, count in enumerate(counts):
        axes.annotate(str(count), (1.0, place), (6, 0), xycoords=("axes fraction", "data"),
                      textcoords="offset points", va="center", fontsize=SMALL,
                      color=INK if count else MUTED)  # fmt: skip
    lines = textwrap.wrap(
        column.name, max(6, int((width + 24.0) / 6.2)), max_lines=2, placeholder="…"
    )
    axes.annotate("\n".join(lines), (0.0, 1.0), (0, 5), xycoords="axes fraction", va="bottom",
                  textcoords="offset points", linespacing=1.05, fontsize=SMALL,
                  color=MUTED if column.is_baseline else INK)  # fmt: skip
