"""The potential energy surface around a structure, side by side for several models."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, MaxNLocator
from numpy.typing import NDArray

from farfield.errors import ConfigError
from farfield.reports.contents import EnergySurface
from farfield.reports.figures.svg import (
    INK,
    MUTED,
    PAPER,
    SMALL,
    TEXT,
    WIDTH,
    new_panels,
    page_style,
    shorten,
    to_svg,
)
from farfield.reports.numbers import fixed, significant

_LEVELS = 13
_LEFT, _RIGHT, _BAR, _GAP, _BOTTOM, _TOP = 50.0, 44.0, 10.0, 18.0, 42.0, 24.0


def surfaces_figure(
    surfaces: Sequence[EnergySurface],
    axes_names: tuple[str, str] = ("softest mode", "second softest"),
    key: str = "surfaces",
) -> str:
    """Return the SVG: filled contours of one to three surfaces, on one scale of energies.

    Contours lie closer near the lowest energy, so that a parabola has evenly spaced rings.
    """
    if not 1 <= len(surfaces) <= 3:
        raise ConfigError(f"{len(surfaces)} energy surfaces in one figure; give 1 to 3")
    count = max(2, len(surfaces))  # one surface is not drawn twice as large
    side = (WIDTH - _LEFT - _RIGHT - _BAR - _GAP * count) / count
    boxes = [(_LEFT + i * (side + _GAP), _BOTTOM, side, side) for i in range(len(surfaces))]
    bar = (_LEFT + len(surfaces) * (side + _GAP), _BOTTOM, _BAR, side)
    levels = _levels(surfaces)
    colours = colormaps["viridis"](np.linspace(0.0, 1.0, len(levels) - 1))  # (L, 4)
    with page_style():
        *panels, scale = new_panels(side + _TOP + _BOTTOM, [*boxes, bar])
        for place, (axes, surface) in enumerate(zip(panels, surfaces, strict=True)):
            _surface(axes, surface, levels, colours)
            axes.set_xlabel(f"{axes_names[0]} (Å)", color=MUTED, fontsize=SMALL, labelpad=4)
            if place:
                axes.tick_params(axis="y", labelleft=False)
            else:
                axes.set_ylabel(f"{axes_names[1]} (Å)", color=MUTED, fontsize=SMALL, labelpad=2)
        _scale(scale, levels, colours)
        spans = [
            f"{surface.title} from {significant(float(np.min(surface.energies)))} to "
            f"{significant(float(np.max(surface.energies)))} eV"
            for surface in surfaces
        ]
        return to_svg(panels[0], key=key, label=f"Potential energy surfaces: {', '.join(spans)}")


def _levels(surfaces: Sequence[EnergySurface]) -> NDArray[np.float64]:
    """Return the energies (L + 1,) of the contours, with quadratic spacing from the lowest."""
    low = min(float(np.min(surface.energies)) for surface in surfaces)
    high = max(float(np.max(surface.energies)) for surface in surfaces)
    span = high - low or 1.0
    levels: NDArray[np.float64] = low + span * np.linspace(0.0, 1.0, _LEVELS) ** 2
    levels[-1] += 1e-9 * span  # the highest point lies below the last contour
    return levels


def _surface(
    axes: Axes,
    surface: EnergySurface,
    levels: NDArray[np.float64],
    colours: NDArray[np.float64],
) -> None:
    energies = np.asarray(surface.energies, dtype=float).T  # matplotlib's rows go upwards
    axes.contourf(surface.first, surface.second, energies, levels=levels, colors=list(colours))
    axes.contour(surface.first, surface.second, energies, levels=levels[1:-1], colors=PAPER,
                 linewidths=0.7, alpha=0.7, linestyles="solid")  # fmt: skip
    axes.plot([0.0], [0.0], "+", color=PAPER, markersize=9, markeredgewidth=1.6)
    axes.spines["bottom"].set_visible(False)
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_locator(MaxNLocator(5, steps=[1, 2, 2.5, 5, 10], prune="both"))
        axis.set_major_formatter(FuncFormatter(lambda v, _: f"{v:g}".replace("-", "−")))
    axes.annotate(shorten(surface.title, 30), (0.0, 1.0), (0, 7), xycoords="axes fraction",
                  textcoords="offset points", color=INK, fontsize=TEXT)  # fmt: skip


def _scale(axes: Axes, levels: NDArray[np.float64], colours: NDArray[np.float64]) -> None:
    """Draw one step for each colour, all as high."""
    places = np.arange(len(colours))
    axes.bar(0.0, 1.0, 1.0, bottom=places, color=list(colours), edgecolor=PAPER, linewidth=0.7)
    axes.set_xlim(-0.5, 0.5)
    axes.set_ylim(0, len(colours))
    axes.set_xticks([])
    axes.spines["bottom"].set_visible(False)
    axes.yaxis.tick_right()
    marked = np.arange(0, len(levels), 3)
    decimals = max(0, 2 - math.floor(math.log10(levels[-1] - levels[0])))
    axes.set_yticks(marked, [fixed(float(level), decimals) for level in levels[marked]])
    axes.tick_params(axis="y", length=0)
    axes.annotate("eV", (0.0, 1.0), (0, 7), xycoords="axes fraction", textcoords="offset points",
                  color=MUTED, fontsize=SMALL)  # fmt: skip
