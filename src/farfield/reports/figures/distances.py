"""Interatomic distances h(r), before and after, against a reference; and what is wrong."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, MaxNLocator

from farfield.reports.contents import DistanceCurves
from farfield.reports.figures.svg import (
    DONE,
    FAR,
    INK,
    MUTED,
    NEAR,
    OTHER,
    RULE,
    SMALL,
    TEXT,
    WIDTH,
    new_panels,
    page_style,
    shorten,
    to_svg,
)
from farfield.reports.numbers import fixed

_LOOKS: dict[int, tuple[tuple[str, Any], ...]] = {
    1: ((DONE, "-"),),
    2: ((FAR, (0, (4, 1.6))), (DONE, "-")),
    3: ((FAR, (0, (4, 1.6))), (NEAR, (0, (1.4, 1.4))), (DONE, "-")),
}
_LEFT, _RIGHT, _HIGH, _LOW = 46.0, 10.0, 170.0, 62.0
_BOTTOM, _GAP, _LINE = 38.0, 16.0, 19.0


def distances_figure(curves: DistanceCurves, key: str = "distances") -> str:
    """Return the SVG: the distributions above, their differences from the reference below."""
    looks = dict(zip(curves.curves, _LOOKS[len(curves.curves)], strict=True))
    top = 10.0 + _LINE * (1 + len(looks))
    wide = WIDTH - _LEFT - _RIGHT
    boxes = [(_LEFT, _BOTTOM + _LOW + _GAP, wide, _HIGH), (_LEFT, _BOTTOM, wide, _LOW)]
    where, reference = np.asarray(curves.distances), np.asarray(curves.reference, dtype=float)
    with page_style():
        upper, lower = new_panels(_BOTTOM + _LOW + _GAP + _HIGH + top, boxes)
        upper.fill_between(where, 0.0, reference, color=OTHER, alpha=0.3, linewidth=0)
        upper.plot(where, reference, color=OTHER, linewidth=1)
        for name, (colour, dashes) in looks.items():
            values = np.asarray(curves.curves[name], dtype=float)
            upper.plot(where, values, color=colour, linestyle=dashes, linewidth=1.7)
            lower.fill_between(where, 0.0, values - reference, color=colour, alpha=0.22,
                               linewidth=0)  # fmt: skip
            lower.plot(where, values - reference, color=colour, linestyle=dashes, linewidth=1.2)
        _axes(upper, lower, where)
        _legend(upper, curves, looks, top)
        errors = ", ".join(f"{name} {fixed(value, 2)}" for name, value in curves.errors.items())
        label = f"Distribution of interatomic distances against {curves.reference_name}"
        return to_svg(upper, key=key, label=label + (f"; error: {errors}" if errors else ""))


def _axes(upper: Axes, lower: Axes, where: npt.NDArray[np.float64]) -> None:
    for axes, ticks in ((upper, 5), (lower, 3)):
        axes.set_xlim(where[0], where[-1])
        axes.margins(y=0.04)
        axes.grid(axis="y", color=RULE, linewidth=0.8)
        axes.set_axisbelow(True)
        axes.tick_params(axis="y", length=0)
        axes.yaxis.set_major_locator(MaxNLocator(ticks, steps=[1, 2, 2.5, 5, 10]))
        axes.yaxis.set_major_formatter(FuncFormatter(lambda v, _: f"{v:g}".replace("-", "−")))
    upper.set_ylim(0.0, 1.08 * upper.get_ylim()[1])  # room for its name
    upper.tick_params(axis="x", length=0, labelbottom=False)
    lower.axhline(0.0, color=OTHER, linewidth=1)
    lower.spines["bottom"].set_visible(False)
    lower.xaxis.set_major_locator(MaxNLocator(8, steps=[1, 2, 5, 10]))
    lower.set_xlabel("interatomic distance r (Å)", color=MUTED, fontsize=SMALL, labelpad=4)
    for axes, text in ((upper, "h(r) (1/Å)"), (lower, "difference")):
        axes.annotate(text, (0.0, 1.0), (5, -2), xycoords="axes fraction", va="top",
                      textcoords="offset points", color=MUTED, fontsize=SMALL)  # fmt: skip


def _legend(
    upper: Axes, curves: DistanceCurves, looks: dict[str, tuple[str, Any]], top: float
) -> None:
    """Write a line for each curve above the panel: its look, its name, its error."""

    def at(column: float, line: int) -> tuple[float, float]:
        return column / (WIDTH - _LEFT - _RIGHT), 1.0 + (top - 12.0 - _LINE * line) / _HIGH

    def write(column: float, line: int, text: str, colour: str, **more: Any) -> None:
        upper.text(*at(column, line), text, transform=upper.transAxes, va="center", color=colour,
                   fontsize=TEXT, **more)  # fmt: skip

    rows = [(curves.reference_name, OTHER, "-"), *((n, *look) for n, look in looks.items())]
    for line, (name, colour, dashes) in enumerate(rows):
        ends = (at(0, line), at(26, line))
        upper.plot(*zip(*ends, strict=True), transform=upper.transAxes, color=colour,
                   linestyle=dashes, clip_on=False, linewidth=7 if not line else 2,
                   alpha=0.45 if not line else 1, solid_capstyle="butt")  # fmt: skip
        write(36, line, shorten(name, 44), INK)
        if name in curves.errors:
            write(WIDTH - _LEFT - _RIGHT, line, f"error {fixed(curves.errors[name], 2)}", INK,
                  ha="right")  # fmt: skip
