"""How an adaptation went: named series against steps."""

from __future__ import annotations

import numpy as np
from matplotlib.ticker import FuncFormatter, MaxNLocator

from farfield.reports.contents import Curve
from farfield.reports.figures.svg import (
    DONE,
    EDGE,
    INK,
    MUTED,
    NEAR,
    RULE,
    SMALL,
    new_figure,
    page_style,
    shorten,
    to_svg,
)

_HEIGHT = 230.0
_STYLES = ((DONE, "-"), (NEAR, (0, (6, 2))), (INK, (0, (1.5, 2))), (MUTED, (0, (8, 2, 2, 2))))


def curve_figure(curve: Curve, key: str) -> str:
    """Return the SVG; each series is named at its end, and the step that was kept is marked."""
    with page_style():
        axes = new_figure(_HEIGHT, left=52, right=150, bottom=40, top=24)
        ends: list[tuple[float, str, str]] = []
        for place, (name, values) in enumerate(curve.series.items()):
            colour, dashes = _STYLES[place % len(_STYLES)]
            numbers = np.asarray(values, dtype=float)
            axes.plot(curve.steps, numbers, color=colour, linestyle=dashes, linewidth=2)
            known = numbers[np.isfinite(numbers)]
            if len(known):
                ends.append((float(known[-1]), name, colour))
        axes.grid(axis="y", color=RULE, linewidth=0.8)
        axes.xaxis.set_major_locator(MaxNLocator(6, integer=True))
        axes.yaxis.set_major_locator(MaxNLocator(5, steps=[1, 2, 2.5, 5, 10]))
        axes.yaxis.set_major_formatter(
            FuncFormatter(lambda value, _: f"{value:g}".replace("-", "−"))
        )
        axes.tick_params(axis="y", length=0)
        axes.set_xlabel(curve.axis, color=MUTED, fontsize=SMALL, labelpad=4)
        unit = f" ({curve.unit})" if curve.unit else ""
        axes.text(0, 1.05, f"{curve.title}{unit}", transform=axes.transAxes, color=MUTED,
                  fontsize=SMALL)  # fmt: skip
        if curve.kept is not None and curve.steps:
            axes.axvline(curve.kept, color=EDGE, linewidth=1.3, dashes=(4, 3))
            late = 2 * curve.kept > curve.steps[0] + curve.steps[-1]
            low, high = axes.get_ylim()
            axes.set_ylim(low, high + 0.12 * (high - low))  # room for the words
            words = f"kept: {curve.axis} {curve.kept}"
            axes.annotate(words, (curve.kept, 1.0), (-5 if late else 5, -3),
                          xycoords=("data", "axes fraction"), textcoords="offset points",
                          ha="right" if late else "left", va="top", color=MUTED,
                          fontsize=SMALL)  # fmt: skip
        low, high = axes.get_ylim()
        least = 16 * (high - low) / (_HEIGHT - 64)
        floor = -np.inf
        for value, name, colour in sorted(ends):
            floor = max(value, floor + least)  # labels do not overlap
            axes.annotate(shorten(name, 24), (1.0, floor), (7, 0), va="center",
                          xycoords=("axes fraction", "data"), textcoords="offset points",
                          color=colour, fontsize=SMALL)  # fmt: skip
        label = f"{curve.title} against {curve.axis}s: {', '.join(curve.series)}"
        return to_svg(axes, key=key, label=label)
