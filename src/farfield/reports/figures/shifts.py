"""One axis: how the scores of each set lie against held-out training structures."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator
from matplotlib.transforms import blended_transform_factory
from numpy.typing import NDArray

from farfield.reports.contents import AxisShift
from farfield.reports.figures.svg import (
    EDGE,
    FAR,
    INK,
    MUTED,
    NEAR,
    OTHER,
    RULE,
    SMALL,
    TEXT,
    new_figure,
    page_style,
    shorten,
    to_svg,
)
from farfield.reports.numbers import finite, interval, significant
from farfield.reports.summaries import threshold

_ROW = 50.0
_TOP, _BOTTOM = 26.0, 36.0
_MOST_POINTS = 200


def shift_figure(shift: AxisShift) -> str:
    """Return the SVG: a row per set with density, structures, median, and the AUROC."""
    rows = [("held-out training", finite(shift.training), OTHER)]
    rows += [(name, finite(scores), _colour(shift, name)) for name, scores in shift.sets.items()]
    everything = [score for _, scores, _ in rows for score in scores]
    with page_style():
        axes = new_figure(
            _TOP + _BOTTOM + _ROW * len(rows), left=120, right=92, bottom=_BOTTOM, top=_TOP
        )
        axes.set_ylim(len(rows) - 0.5, -0.5)
        axes.set_yticks([])
        logarithmic = _spans_decades(rows[0][1], everything)
        _horizontal_axis(axes, shift, everything, logarithmic)
        for row, (name, scores, colour) in enumerate(rows):
            _row(axes, row, np.sort(scores), colour, logarithmic)
            _names(axes, shift, row, name, len(scores), colour)
        _threshold(axes, shift)
        label = f"{shift.title}: scores of {', '.join(name for name, _, _ in rows)}"
        return to_svg(axes, key=f"shift-{shift.axis}", label=label)


def _colour(shift: AxisShift, name: str) -> str:
    if name == shift.shifted:
        return FAR
    return NEAR if name == shift.control else MUTED


def _spans_decades(training: list[float], everything: list[float]) -> bool:
    if not training or min(everything) <= 0:
        return False
    return max(everything) > 20 * max(training)


def _horizontal_axis(
    axes: Axes, shift: AxisShift, everything: list[float], logarithmic: bool
) -> None:
    low, high = (min(everything), max(everything)) if everything else (0.0, 1.0)
    if logarithmic:
        axes.set_xscale("log")
        axes.xaxis.set_major_locator(LogLocator(subs=(1.0, 3.0)))
        axes.set_xlim(low / 1.15, high * 1.15)
    else:
        pad = 0.04 * (high - low) or 0.5
        axes.set_xlim(low - pad, high + pad)
        axes.xaxis.set_major_locator(MaxNLocator(5, steps=[1, 2, 2.5, 5, 10]))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}".replace("-", "−")))
    remarks = [shift.unit] * bool(shift.unit) + ["logarithmic"] * logarithmic
    remark = f" ({', '.join(remarks)})" if remarks else ""
    axes.set_xlabel(f"score{remark}", color=MUTED, fontsize=SMALL, labelpad=4)


def _row(axes: Axes, row: int, scores: NDArray[np.float64], colour: str, logarithmic: bool) -> None:
    base = row + 0.16
    axes.axhline(base, color=RULE, linewidth=0.8, zorder=0)
    if not len(scores):
        return
    where, height = _density(np.log10(scores) if logarithmic else scores, axes)
    if logarithmic:
        where = 10.0**where
    if len(where):
        axes.fill_between(where, base, base - 0.56 * height, color=colour, alpha=0.28, linewidth=0)
        axes.plot(where, base - 0.56 * height, color=colour, linewidth=1.2)
    shown = scores
    if len(scores) > _MOST_POINTS:  # evenly spaced order statistics stand for all
        shown = scores[np.linspace(0, len(scores) - 1, _MOST_POINTS).round().astype(int)]
    jitter = (np.arange(len(shown)) * 0.618034) % 1.0
    axes.plot(
        shown, base + 0.07 + 0.17 * jitter, "o",
        markersize=3.2, markeredgewidth=0, color=colour, alpha=0.55,
    )  # fmt: skip
    median = float(np.median(scores))
    axes.plot([median, median], [base - 0.1, base + 0.28], color=INK, linewidth=1.8, zorder=4)


def _density(
    values: NDArray[np.float64], axes: Axes
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return where (G) and the kernel density (G), its maximum 1, between the extremes."""
    low, high = axes.get_xlim()
    span = math.log10(high / low) if axes.get_xscale() == "log" else high - low
    if len(values) < 5 or np.ptp(values) < 0.004 * span:
        return np.zeros(0), np.zeros(0)
    quartiles = np.quantile(values, [0.25, 0.75])
    spread = min(float(np.std(values)), float(np.ptp(quartiles)) / 1.34) or float(np.std(values))
    width = max(0.9 * spread * len(values) ** -0.2, 0.006 * span)
    where = np.linspace(values[0], values[-1], 120)
    kernel = np.exp(-0.5 * ((where[:, None] - values[None, :]) / width) ** 2)  # (G, N)
    height = kernel.sum(axis=1)
    return where, height / height.max()


def _names(axes: Axes, shift: AxisShift, row: int, name: str, count: int, colour: str) -> None:
    beside = blended_transform_factory(axes.transAxes, axes.transData)

    def write(x: float, y: float, text: str, colour: str, **more: Any) -> None:
        look = {"fontsize": SMALL, "ha": "right" if x < 0 else "left", **more}
        axes.text(x, row + y, text, transform=beside, color=colour, **look)

    weight = "bold" if name == shift.shifted else "normal"
    write(-0.03, -0.02, shorten(name, 18), INK, fontsize=TEXT, fontweight=weight)
    write(-0.03, 0.27, f"n = {count}", MUTED)
    if name == shift.control:
        write(1.03, -0.02, "control", colour)
    elif row and name in shift.auroc:
        value, *bounds = interval(shift.auroc[name], 2).split(" ", 1)
        write(1.03, -0.02, f"AUROC {value}", INK)
        write(1.03, 0.27, "".join(bounds), MUTED)


def _threshold(axes: Axes, shift: AxisShift) -> None:
    line = threshold(shift)
    if line is None:
        return
    axes.axvline(line, color=EDGE, linewidth=1.3, dashes=(4, 3), zorder=3)
    place = axes.transAxes.inverted().transform(axes.transData.transform((line, 0)))[0]
    side = "left" if place < 0.5 else "right"
    axes.annotate(
        f"95 % of training: {significant(line)}", (line, 1.0), (0, 7),
        xycoords=blended_transform_factory(axes.transData, axes.transAxes),
        textcoords="offset points", ha=side, color=MUTED, fontsize=SMALL,
    )  # fmt: skip
