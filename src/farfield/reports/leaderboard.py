"""From a leaderboard's contents to one HTML page that needs nothing else."""

from __future__ import annotations

import dataclasses
from pathlib import Path

from markupsafe import Markup

from farfield.files import write_text
from farfield.reports import figures
from farfield.reports.contents.board import Leaderboard, Standing, TaskBoard
from farfield.reports.render import environment, island, script_hash, static

SCHEMA = "farfield-leaderboard/1"
UNITS = {
    "tasks.standings.control, shifted, median, sets, after, spread": "tasks.unit",
    "tasks.standings.change": "1 (a share)",
    "tasks.standings.seconds, tasks.models.training_seconds": "s",
    "tasks.curves.distances": "1 (multiples of the 95 % line)",
    "tasks.curves.errors": "tasks.unit",
}


def render_leaderboard(board: Leaderboard) -> str:
    """Return the page as HTML text; the same contents give the same bytes."""
    script = static("sort.js")
    return environment().get_template("leaderboard.html.j2").render(
        board=board,
        style=Markup(static("report.css") + static("leaderboard.css")),
        script=Markup(script),
        script_hash=script_hash(script),
        data=island({"schema": SCHEMA, "units": UNITS, **dataclasses.asdict(board)}),
        parts=[_parts(task, place) for place, task in enumerate(board.tasks)],
    )  # fmt: skip


def write_leaderboard(board: Leaderboard, path: Path) -> None:
    """Write the page to ``path``, atomically."""
    write_text(path, render_leaderboard(board))


def _parts(task: TaskBoard, place: int) -> dict[str, object]:
    """What the template shows of a task and does not compute itself."""
    families = list(dict.fromkeys(s.family for s in task.standings if s.family))
    methods = list(
        dict.fromkeys(s.method for s in task.standings if s.kind != "supervised" and s.family)
    )
    table = {(s.family, s.method): s for s in task.standings}
    known = [s.shifted.value for s in task.standings if s.shifted is not None]
    return {
        "families": families,
        "methods": methods,
        "cells": {f: [table.get((f, method)) for method in methods] for f in families},
        "least": min(known, default=None),
        "least_of": {name: _least(task.standings, name) for name in task.axes},
        "missing": [s for s in task.standings if s.reasons],
        "scatter": Markup(
            figures.generalisation_figure(task.standings, task.unit, f"scatter-{place}")
        ),
        "curves": Markup(
            figures.error_distance_figure(task.curves, families, task.unit, f"distance-{place}")
        )
        if task.curves
        else None,
        "refined": next((c.method for c in task.curves if c.refined), None),
    }


def _least(standings: list[Standing], name: str) -> float | None:
    return min((s.sets[name].value for s in standings if name in s.sets), default=None)
