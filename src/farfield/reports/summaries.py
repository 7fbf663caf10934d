"""What the tables of a report say, computed from its contents."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from farfield.reports.contents import (
    VERDICTS,
    AxisShift,
    ErrorRow,
    Interval,
    Report,
    SetSummary,
)
from farfield.reports.numbers import finite, is_number

LEVEL = 0.95
"""A score beyond this quantile of held-out training structures counts as beyond the line."""


def threshold(shift: AxisShift) -> float | None:
    """Return the 95 % quantile of the held-out training scores, or None without any."""
    training = finite(shift.training)
    return float(np.quantile(training, LEVEL)) if training else None


def beyond(shift: AxisShift, scores: Sequence[float]) -> float | None:
    """Return the share, 0..1, of ``scores`` beyond the threshold; 0.05 is expected."""
    line, values = threshold(shift), finite(scores)
    if line is None or not values:
        return None
    return float(np.mean(np.asarray(values) > line))


@dataclass(frozen=True)
class Spread:
    """Quartiles of the scores of one set on one axis, in the unit of the axis."""

    name: str
    count: int
    q25: float | None
    median: float | None
    q75: float | None
    beyond: float | None
    auroc: Interval | None


def spreads(shift: AxisShift) -> list[Spread]:
    """Return a row for the held-out training structures and one per set."""
    rows = []
    for name, scores in [("held-out training", shift.training), *shift.sets.items()]:
        values = finite(scores)
        q25, median, q75 = np.quantile(values, [0.25, 0.5, 0.75]).tolist() if values else [None] * 3
        of_set = name in shift.sets
        rows.append(
            Spread(
                name, len(values), q25, median, q75,
                beyond=beyond(shift, scores) if of_set else None,
                auroc=shift.auroc.get(name) if of_set else None,
            )
        )  # fmt: skip
    return rows


@dataclass(frozen=True)
class Cell:
    """One set on one axis: the share beyond the threshold, 0..1, and the AUROC."""

    beyond: float | None
    auroc: Interval | None
    shifted: bool
    control: bool


@dataclass(frozen=True)
class MatrixRow:
    """One set against all axes, with the share of its structures per verdict."""

    name: str
    summary: SetSummary | None
    leading: str
    verdicts: list[tuple[str, int, float]]
    cells: list[Cell]


def matrix(report: Report) -> list[MatrixRow]:
    """Return the sets in order: those summarised first, then those that only have scores."""
    summaries = {summary.name: summary for summary in report.sets}
    titles = {shift.axis: shift.title for shift in report.axes}
    names = [*summaries, *(name for shift in report.axes for name in shift.sets)]
    rows = []
    for name in dict.fromkeys(names):
        summary = summaries.get(name)
        leading = (summary.leading_axis or "") if summary else ""
        rows.append(
            MatrixRow(
                name,
                summary,
                titles.get(leading, leading),
                _verdicts(summary),
                [_cell(shift, name) for shift in report.axes],
            )
        )
    return rows


def _verdicts(summary: SetSummary | None) -> list[tuple[str, int, float]]:
    counts = summary.verdicts if summary else {}
    total = sum(counts.values())
    return [(v, counts.get(v, 0), counts.get(v, 0) / total) for v in VERDICTS] if total else []


def _cell(shift: AxisShift, name: str) -> Cell:
    return Cell(
        beyond(shift, shift.sets.get(name, [])),
        shift.auroc.get(name),
        name == shift.shifted,
        name == shift.control,
    )


def by_set(rows: Sequence[ErrorRow]) -> dict[str, list[ErrorRow]]:
    """Return the rows of each set, sets and rows in the order given."""
    groups: dict[str, list[ErrorRow]] = {}
    for row in rows:
        groups.setdefault(row.set_name, []).append(row)
    return groups


def mean_of(row: ErrorRow) -> float | None:
    """Return the mean force MAE in meV/Å, or None when it is missing."""
    value = row.force_mae.value if row.force_mae else None
    return value if is_number(value) else None


def origin(row: ErrorRow, rows: Sequence[ErrorRow]) -> float | None:
    """Return the mean force MAE in meV/Å of the method that ``row`` started from."""
    for other in rows:
        if other.method == row.before and other.set_name == row.set_name:
            return mean_of(other)
    return None


def change(row: ErrorRow, rows: Sequence[ErrorRow]) -> float | None:
    """Return the relative change of the mean force MAE; −0.5 is half the error."""
    start, end = origin(row, rows), mean_of(row)
    return (end - start) / start if start and end is not None else None


def is_lowest(row: ErrorRow, rows: Sequence[ErrorRow]) -> bool:
    """Return whether no method has a lower mean on the set of ``row``."""
    means = finite(mean_of(other) for other in rows if other.set_name == row.set_name)
    return len(means) > 1 and mean_of(row) == min(means)
