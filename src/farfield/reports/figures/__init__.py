"""Figures as SVG text that takes its colours and its typeface from the page around it."""

from farfield.reports.figures.causes import causes_figure
from farfield.reports.figures.curves import curve_figure
from farfield.reports.figures.distances import distances_figure
from farfield.reports.figures.error_distance import error_distance_figure
from farfield.reports.figures.errors import error_limits, errors_figure
from farfield.reports.figures.generalisation import generalisation_figure
from farfield.reports.figures.risk import risk_figure
from farfield.reports.figures.shifts import shift_figure
from farfield.reports.figures.stability import stability_figure
from farfield.reports.figures.surfaces import surfaces_figure

__all__ = [
    "causes_figure",
    "curve_figure",
    "distances_figure",
    "error_distance_figure",
    "error_limits",
    "errors_figure",
    "generalisation_figure",
    "risk_figure",
    "shift_figure",
    "stability_figure",
    "surfaces_figure",
]
