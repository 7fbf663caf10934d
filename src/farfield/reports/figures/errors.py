"""Errors of every method on one set: mean with interval, quartiles, and where it came from."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullFormatter
from matplotlib.transforms import blended_transform_factory

from farfield.reports.contents import ErrorRow
from farfield.reports.figures.svg import (
    DONE,
    INK,
    MUTED,
    PAPER,
    RULE,
    SMALL,
    TEXT,
    new_figure,
    page_style,
    to_svg,
)
from farfield.reports.numbers import decimals_for, finite, fixed, is_number
from farfield.reports.summaries import is_lowest, mean_of, origin

_ROW = 32.0
_TOP, _BOTTOM = 6.0, 36.0


def error_limits(rows: Sequence[ErrorRow]) -> tuple[float, float, bool]:
    """Return the limits in meV/Å that hold everything drawn, and whether to draw logarithmically.

    Pass the rows of all sets, so that their figures share one scale.
    """
    values = finite(
        value for row in rows for value in (row.q25, row.q75, row.median, *_estimate(row))
    )
    if not values:
        return 0.0, 1.0, False
    positive = [value for value in values if value > 0]
    if len(positive) == len(values) and max(values) > 8 * min(values):
        return min(values) / 1.15, max(values) * 1.15, True
    return min(0.0, *values), max(values) * 1.05 or 1.0, False


def errors_figure(
    set_name: str, rows: Sequence[ErrorRow], limits: tuple[float, float, bool]
) -> str:
    """Return the SVG of one set; baselines are hollow, arrows start where a method started."""
    with page_style():
        height = _TOP + _BOTTOM + _ROW * len(rows)
        axes = new_figure(height, left=196, right=46, bottom=_BOTTOM, top=_TOP)
        axes.set_ylim(len(rows) - 0.5, -0.5)
        axes.set_yticks([])
        _horizontal_axis(axes, limits)
        decimals = decimals_for(mean_of(row) for row in rows)
        for place, row in enumerate(rows):
            _row(axes, place, row, rows)
            _names(axes, place, row, decimals, lowest=is_lowest(row, rows))
        methods = ", ".join(f"{row.method} {fixed(mean_of(row), decimals)}" for row in rows)
        label = f"Mean force MAE on {set_name} in meV/Å: {methods}"
        return to_svg(axes, key=f"errors-{set_name}", label=label)


def _estimate(row: ErrorRow) -> tuple[float, ...]:
    return (row.force_mae.value, row.force_mae.low, row.force_mae.high) if row.force_mae else ()


def _horizontal_axis(axes: Axes, limits: tuple[float, float, bool]) -> None:
    low, high, logarithmic = limits
    if logarithmic:
        axes.set_xscale("log")
        axes.xaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
        axes.xaxis.set_minor_formatter(NullFormatter())
    else:
        axes.xaxis.set_major_locator(MaxNLocator(5))
    axes.set_xlim(low, high)
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.grid(axis="x", color=RULE, linewidth=0.8)
    axes.set_axisbelow(True)
    scale = ", logarithmic" if logarithmic else ""
    axes.set_xlabel(f"force MAE (meV/Å{scale})", color=MUTED, fontsize=SMALL, labelpad=4)


def _row(axes: Axes, place: int, row: ErrorRow, rows: Sequence[ErrorRow]) -> None:
    colour = MUTED if row.is_baseline else DONE
    if is_number(row.q25) and is_number(row.q75):
        axes.plot([row.q25, row.q75], [place, place], color=colour, alpha=0.2, linewidth=11,
                  solid_capstyle="butt")  # fmt: skip
    if is_number(row.median):
        axes.plot([row.median] * 2, [place - 0.18, place + 0.18], color=colour, linewidth=1.5)
    mean, start = mean_of(row), origin(row, rows)
    if mean is None or row.force_mae is None:
        return
    if start is not None and abs(start - mean) > 0:
        axes.plot([start], [place], "o", color=MUTED, markersize=3.5, markeredgewidth=0)
        near = row.force_mae.high if start > mean else row.force_mae.low
        axes.annotate(
            "", (near if is_number(near) else mean, place), (start, place),
            arrowprops={"arrowstyle": "-|>", "color": MUTED, "linewidth": 1.0,
                        "shrinkA": 2, "shrinkB": 2,
                        "mutation_scale": 8},
        )  # fmt: skip
    if is_number(row.force_mae.low) and is_number(row.force_mae.high):
        ends = [row.force_mae.low, row.force_mae.high]
        axes.plot(ends, [place, place], color=colour, linewidth=2.2, solid_capstyle="round")
    axes.plot([mean], [place], "o", markersize=8, color=PAPER if row.is_baseline else colour,
              markeredgecolor=colour, markeredgewidth=1.8, zorder=5)  # fmt: skip


def _names(axes: Axes, place: int, row: ErrorRow, decimals: int, *, lowest: bool) -> None:
    beside = blended_transform_factory(axes.transAxes, axes.transData)
    lines = textwrap.wrap(row.method, 28, max_lines=2, placeholder="…") or [""]
    axes.text(-0.04, place, "\n".join(lines), transform=beside, ha="right", va="center",
              color=MUTED if row.is_baseline else INK, linespacing=1.05,
              fontsize=TEXT if len(lines) == 1 else SMALL)  # fmt: skip
    axes.text(1.14, place, fixed(mean_of(row), decimals), transform=beside, ha="right",
              va="center", color=INK, fontsize=TEXT,
              fontweight="bold" if lowest else "normal")  # fmt: skip
