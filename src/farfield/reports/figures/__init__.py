"""Figures as SVG text that takes its colours and its typeface from the page around it."""

from farfield.reports.figures.curves import curve_figure
from farfield.reports.figures.errors import error_limits, errors_figure
from farfield.reports.figures.shifts import shift_figure

__all__ = ["curve_figure", "error_limits", "errors_figure", "shift_figure"]
