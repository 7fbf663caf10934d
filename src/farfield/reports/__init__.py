"""The self-contained HTML report. It reads results, as plain values, and never a model.

Fill a :class:`Report`, then :func:`write_report`. Sections without content are left out.
"""

from farfield.reports.bonds import covalent_bonds
from farfield.reports.contents import (
    Action,
    AxisShift,
    Causes,
    Curve,
    DistanceCurves,
    DrawnStructure,
    EnergySurface,
    ErrorRow,
    Interval,
    JudgedScore,
    Judgement,
    Lifetimes,
    Report,
    SetSummary,
)
from farfield.reports.render import render, write_report

__all__ = [
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
    "covalent_bonds",
    "render",
    "write_report",
]
