"""From a matplotlib figure to SVG text for a page.

Figures are drawn in stand-in colours, one per role; in the SVG each becomes a CSS variable
of the page, so that one figure is right in light and in dark mode and in print.
"""

from __future__ import annotations

import io
import re
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from html import escape
from typing import Any

from matplotlib import rc_context, style
from matplotlib.axes import Axes
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure

INK, MUTED, RULE, PAPER = "#0a0b01", "#0a0b02", "#0a0b03", "#0a0b04"
NEAR, EDGE, FAR, OTHER, DONE = "#0a0b05", "#0a0b06", "#0a0b07", "#0a0b08", "#0a0b09"
_VARIABLES = {
    INK: "ink", MUTED: "muted", RULE: "rule", PAPER: "panel", NEAR: "near", EDGE: "edge",
    FAR: "far", OTHER: "other", DONE: "done",
}  # fmt: skip

WIDTH = 520
"""Width of every figure in CSS pixels; text in it is drawn at the sizes given."""

TEXT, SMALL = 12, 11
"""Sizes of text in CSS pixels."""


@contextmanager
def page_style() -> Iterator[None]:
    """Draw with matplotlib's defaults, whatever the user's own settings, and text as text."""
    settings: dict[str, Any] = {"svg.fonttype": "none", "text.parse_math": False}
    with style.context(["default", settings]), warnings.catch_warnings():
        # The browser draws the text, with its own fonts: those of matplotlib do not matter.
        warnings.filterwarnings("ignore", message="Glyph .* missing from")
        yield


def new_figure(height: float, *, left: float, right: float, bottom: float, top: float) -> Axes:
    """Return the axes of a new figure with these margins, all in CSS pixels."""
    return new_panels(height, [(left, bottom, WIDTH - left - right, height - bottom - top)])[0]


def new_panels(height: float, boxes: Sequence[tuple[float, float, float, float]]) -> list[Axes]:
    """Return the axes of a new figure: left, bottom, width, height of each in CSS pixels."""
    figure = Figure(figsize=(WIDTH / 72, height / 72), dpi=72)
    figure.patch.set_visible(False)
    panels = []
    for left, bottom, wide, high in boxes:
        axes = figure.add_axes((left / WIDTH, bottom / height, wide / WIDTH, high / height))
        axes.patch.set_visible(False)
        for side in ("left", "right", "top"):
            axes.spines[side].set_visible(False)
        axes.spines["bottom"].set_color(RULE)
        axes.tick_params(
            axis="both", colors=MUTED, labelsize=SMALL, length=4, width=0.8, color=RULE
        )
        axes.tick_params(axis="both", which="minor", length=0)
        panels.append(axes)
    return panels


def shorten(text: str, length: int) -> str:
    """Return ``text`` on one line of at most so many characters; tables give it in full."""
    text = " ".join(text.split())
    return text if len(text) <= length else f"{text[: length - 1].rstrip()}…"


def to_svg(axes: Axes, *, key: str, label: str) -> str:
    """Return the figure of ``axes`` as an ``<svg>`` element, the same bytes every time.

    Parameters
    ----------
    axes
        Axes from :func:`new_figure`.
    key
        What makes the ids of this figure differ from those of the others on the page.
    label
        What the figure shows, for those who do not see it.
    """
    figure = axes.get_figure(root=True)
    assert figure is not None
    target = io.StringIO()
    with rc_context({"svg.hashsalt": key}):
        FigureCanvasSVG(figure).print_svg(target, metadata={"Date": None})
    return _for_page(target.getvalue(), label)


def _for_page(text: str, label: str) -> str:
    text = text[text.index("<svg") :]
    text = re.sub(r"<metadata>.*?</metadata>", "", text, flags=re.DOTALL)
    text = re.sub(r"<style.*?</style>", "", text, flags=re.DOTALL)
    text = re.sub(r"<!--.*?-->", "", text, flags=re.DOTALL)
    text = re.sub(r'<g id="[^"]*"', "<g", text)
    text = re.sub(r"font-family: [^;\"]*;?", "", text)
    text = re.sub(r"(font: [^;\"]*?px)[^;\"]*", r"\1 inherit", text)
    view_box = re.search(r'viewBox="[^"]*"', text)
    assert view_box is not None
    root = f'<svg {view_box[0]} role="img" aria-label="{escape(label)}">'
    text = re.sub(r"<svg.*?>", lambda _: root, text, count=1, flags=re.DOTALL)
    text = text.replace("xlink:href", "href")
    for colour, name in _VARIABLES.items():
        text = text.replace(colour, f"var(--{name})")
    return re.sub(r"\n\s*\n+", "\n", text).strip()
