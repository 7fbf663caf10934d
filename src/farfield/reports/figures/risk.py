"""What is gained by leaving out what scores far: mean error against the share kept."""

from __future__ import annotations

from matplotlib.ticker import FuncFormatter, MaxNLocator

from farfield.reports.contents import Judgement
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
    new_figure,
    page_style,
    shorten,
    to_svg,
)

_HEIGHT = 300.0
Dashes = str | tuple[int, tuple[float, ...]]

_STYLES: tuple[tuple[str, Dashes], ...] = (
    (DONE, "-"), (NEAR, "-"), (FAR, "-"), (EDGE, "-"),
    (DONE, (0, (5, 2))), (NEAR, (0, (5, 2))), (FAR, (0, (5, 2))), (EDGE, (0, (5, 2))),
)  # fmt: skip


def risk_figure(judgement: Judgement, key: str = "risk") -> str:
    """Return the SVG: a curve per score; the errors' own order and chance frame them."""
    with page_style():
        axes = new_figure(_HEIGHT, left=52, right=160, bottom=40, top=24)
        shares = judgement.coverage
        lines: list[tuple[str, list[float], str, Dashes, float]] = [
            ("the errors' own order", judgement.best, INK, (0, (1.5, 2)), 1.5)
        ]
        lines.append(("chance", [judgement.best[-1]] * len(shares), MUTED, (0, (6, 2)), 1.2))
        for place, score in enumerate(judgement.scores):
            colour, dashes = _STYLES[place % len(_STYLES)]
            if score.is_baseline:
                colour, dashes = OTHER, "-"
            lines.append((score.title, score.risk, colour, dashes, 2.0))
        for _, risk, colour, dashes, width in lines:
            axes.plot(shares, risk, color=colour, linestyle=dashes, linewidth=width)
        axes.grid(axis="y", color=RULE, linewidth=0.8)
        axes.set_xlim(0.0, 1.0)
        axes.set_ylim(bottom=0.0)
        axes.yaxis.set_major_locator(MaxNLocator(5, steps=[1, 2, 2.5, 5, 10]))
        axes.tick_params(axis="y", length=0)
        axes.xaxis.set_major_formatter(FuncFormatter(lambda share, _: f"{100 * share:.0f} %"))
        axes.set_xlabel("structures kept, nearest first", color=MUTED, fontsize=SMALL, labelpad=4)
        axes.text(0, 1.04, "mean force error of those kept (eV/Å)", transform=axes.transAxes,
                  color=MUTED, fontsize=SMALL)  # fmt: skip
        step = 17 / (_HEIGHT - 64)
        for place, (name, _, colour, dashes, width) in enumerate(lines):
            down = 1.0 - (place + 0.5) * step
            axes.plot([1.03, 1.09], [down, down], transform=axes.transAxes, color=colour,
                      linestyle=dashes, linewidth=width, clip_on=False)  # fmt: skip
            axes.text(1.11, down, shorten(name, 21), transform=axes.transAxes, color=INK,
                      fontsize=SMALL, va="center")  # fmt: skip
        label = "Mean error of the structures kept against their share, by score: "
        return to_svg(axes, key=key, label=label + ", ".join(s.title for s in judgement.scores))
