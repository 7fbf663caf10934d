"""What a report can hold: plain values with units, so that a report can be made from JSON.

Any float may be NaN, which the report shows as a dash and stores as ``null``.
"""

from farfield.reports.contents.judgement import JudgedScore, Judgement
from farfield.reports.contents.outcomes import Action, Curve, ErrorRow
from farfield.reports.contents.report import Report
from farfield.reports.contents.shifts import (
    VERDICTS,
    AxisShift,
    DrawnStructure,
    Interval,
    SetSummary,
)
from farfield.reports.contents.simulations import (
    Causes,
    DistanceCurves,
    EnergySurface,
    Lifetimes,
)

__all__ = [
    "VERDICTS",
    "Action",
    "AxisShift",
    "Causes",
    "Curve",
    "DistanceCurves",
    "DrawnStructure",
    "EnergySurface",
    "ErrorRow",
    "Interval",
    "JudgedScore",
    "Judgement",
    "Lifetimes",
    "Report",
    "SetSummary",
]
