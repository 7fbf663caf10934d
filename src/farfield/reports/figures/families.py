"""How families of models look in every figure of a leaderboard: a colour and a marker each."""

from __future__ import annotations

from collections.abc import Iterable

from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

from farfield.reports.figures.svg import (
    DONE,
    EDGE,
    FAR,
    INK,
    MUTED,
    NEAR,
    OTHER,
    RULE,
    SMALL,
    TEXT,
    WIDTH,
    shorten,
)

_LOOKS = (
    (NEAR, "o"), (FAR, "s"), (DONE, "^"), (EDGE, "D"), (INK, "v"), (OTHER, "P"), (MUTED, "X")
)  # fmt: skip
LINE = 19.0
"""Height of a line of the legend, CSS pixels."""

_COLUMNS = 4


def looks(families: Iterable[str]) -> dict[str, tuple[str, str]]:
    """Colour and marker by family, in order; the eighth looks like the first."""
    return {name: _LOOKS[i % len(_LOOKS)] for i, name in enumerate(dict.fromkeys(families))}


def legend_height(count: int) -> float:
    """Height of the legend of so many families, CSS pixels."""
    return LINE * -(-count // _COLUMNS) + 8.0


def draw_legend(axes: Axes, known: dict[str, tuple[str, str]], wide: float, high: float) -> None:
    """Name the families above a panel of this width and height, CSS pixels."""
    step = wide / _COLUMNS
    for place, (name, (colour, marker)) in enumerate(known.items()):
        line, column = divmod(place, _COLUMNS)
        lines = -(-len(known) // _COLUMNS)
        x = (column * step + 5) / wide
        y = 1.0 + (LINE * (lines - line - 0.5) + 4.0) / high
        axes.plot([x], [y], marker, color=colour, markersize=7, transform=axes.transAxes,
                  clip_on=False, markeredgewidth=0)  # fmt: skip
        axes.text(x + 10 / wide, y, shorten(name, 16), transform=axes.transAxes, va="center",
                  color=INK, fontsize=TEXT)  # fmt: skip


def logarithmic(axes: Axes, across: str, up: str) -> None:
    """Give both axes logarithmic scales with plain numbers, and names."""
    axes.set_xscale("log")
    axes.set_yscale("log")
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
        axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
        axis.set_minor_formatter(NullFormatter())
    axes.grid(color=RULE, linewidth=0.8)
    axes.set_axisbelow(True)
    axes.tick_params(axis="y", length=0)
    axes.set_xlabel(across, color=MUTED, fontsize=SMALL, labelpad=4)
    axes.annotate(up, (0.0, 1.0), (5, -3), xycoords="axes fraction", va="top",
                  textcoords="offset points", color=MUTED, fontsize=SMALL)  # fmt: skip


PANEL = (52.0, 14.0, 40.0)
"""Margins left, right and below every panel, CSS pixels."""

WIDE = WIDTH - PANEL[0] - PANEL[1]
