"""How many replicas are still alive, against time: a row for each model."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator
from matplotlib.transforms import blended_transform_factory

from farfield.reports.contents import Lifetimes
from farfield.reports.figures.svg import (
    DONE,
    INK,
    MUTED,
    RULE,
    SMALL,
    TEXT,
    new_figure,
    page_style,
    to_svg,
)
from farfield.reports.numbers import fixed, percent, significant
from farfield.reports.survival import Survival, survival

_ROW, _TOP, _BOTTOM = 72.0, 8.0, 38.0
_FLOOR, _SPAN = 0.84, 0.68  # where no replica is alive, and the height of all, in rows


def stability_figure(rows: Sequence[Lifetimes], key: str = "stability") -> str:
    """Return the SVG: the share of replicas alive with its 95 % interval, baselines in grey."""
    with page_style():
        height = _TOP + _BOTTOM + _ROW * len(rows)
        axes = new_figure(height, left=154, right=104, bottom=_BOTTOM, top=_TOP)
        end = max((time for row in rows for time in row.lifetimes), default=1.0) or 1.0
        axes.set_xlim(0.0, end)
        axes.set_ylim(len(rows), 0.0)
        axes.set_yticks([])
        axes.xaxis.set_major_locator(MaxNLocator(5, steps=[1, 2, 2.5, 5, 10]))
        axes.set_xlabel("simulated time (ps)", color=MUTED, fontsize=SMALL, labelpad=4)
        said = []
        for place, row in enumerate(rows):
            found = survival(row)
            _staircase(axes, place, row, found, end)
            _words(axes, place, row, found, end)
            said.append(f"{row.name} {percent(float(found.share[-1]))}")
        return to_svg(axes, key=key, label=f"Share of replicas alive at the end: {', '.join(said)}")


def _staircase(axes: Axes, place: int, row: Lifetimes, found: Survival, end: float) -> None:
    colour = MUTED if row.is_baseline else DONE

    def up(share: npt.ArrayLike) -> npt.NDArray[np.float64]:
        return place + _FLOOR - _SPAN * np.asarray(share, dtype=np.float64)

    axes.hlines(up([0.0, 0.5, 1.0]), 0.0, end, color=RULE, linewidth=[0.9, 0.6, 0.6])
    times = found.times
    axes.fill_between(times, up(found.low), up(found.high), step="post", color=colour, alpha=0.16,
                      linewidth=0)  # fmt: skip
    axes.plot(times, up(found.share), drawstyle="steps-post", color=colour, linewidth=2,
              solid_joinstyle="miter", clip_on=False)  # fmt: skip
    ends = [time for time, alive in zip(row.lifetimes, row.censored, strict=True) if alive]
    if ends:  # the arrow of those that would go on
        axes.plot([max(ends)], up(found.share[-1:]), ">", color=colour, markersize=6,
                  markeredgewidth=0, clip_on=False)  # fmt: skip
    for share in (0.0, 1.0):
        axes.annotate(percent(share), (0.0, float(up(share))), (-5, 0), va="center", ha="right",
                      textcoords="offset points", color=MUTED, fontsize=9)  # fmt: skip


def _words(axes: Axes, place: int, row: Lifetimes, found: Survival, end: float) -> None:
    beside = blended_transform_factory(axes.transAxes, axes.transData)
    lines = textwrap.wrap(row.name, 18, max_lines=2, placeholder="…") or [""]
    axes.annotate("\n".join(lines), (0.0, place + 0.5), (-38, 0), xycoords=beside, ha="right",
                  textcoords="offset points", va="center", linespacing=1.1, fontsize=TEXT,
                  color=MUTED if row.is_baseline else INK)  # fmt: skip
    alive = sum(row.censored)
    median = "no failure"
    if found.median is not None:
        median = f"median {significant(found.median, 2)} ps"
    elif alive < len(row.censored):
        median = f"median > {significant(end, 2)} ps"
    low, high = (fixed(100 * float(bound[-1]), 0) for bound in (found.low, found.high))
    texts = (
        (0.30, f"{alive} of {len(row.censored)} alive", INK, TEXT),
        (0.52, f"95\u202f% CI {low}–{high}\u202f%", MUTED, SMALL),
        (0.72, median, MUTED, SMALL),
    )
    for down, text, colour, size in texts:
        axes.annotate(text, (1.0, place + down), (12, 0), xycoords=beside, color=colour,
                      textcoords="offset points", va="center", fontsize=size)  # fmt: skip
