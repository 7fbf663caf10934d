"""From a report's contents to one HTML page that needs nothing else."""

from __future__ import annotations

import base64
import dataclasses
import hashlib
import json
import math
from importlib.resources import files
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from farfield.files import write_text
from farfield.reports import figures, numbers, scenes, summaries
from farfield.reports.contents import Report

SCHEMA = "farfield-report/1"

UNITS = {
    "axes.training, axes.sets": "the unit of the axis",
    "axes.auroc": "1 (0.5 is chance)",
    "structures.positions, structures.cell": "Å",
    "structures.atom_values, structures.quantile": "quantile, 0..1",
    "judgement.best, judgement.scores.risk, judgement.gaps, judgement.force_norms": "eV/Å",
    "errors.force_mae, errors.median, errors.q25, errors.q75": "meV/Å",
    "errors.energy_mae_per_atom": "meV/atom",
    "actions.curves": "the unit of the curve, against steps",
    "lifetimes.lifetimes": "ps",
    "distances.distances": "Å",
    "distances.reference, distances.curves": "1/Å",
    "surfaces.first, surfaces.second": "Å",
    "surfaces.energies": "eV",
}


def render(report: Report) -> str:
    """Return the page as HTML text; the same report gives the same bytes."""
    script = static("viewer.js")
    return environment().get_template("report.html.j2").render(
        report=report,
        style=Markup(static("report.css")),
        script=Markup(script),
        script_hash=script_hash(script),
        data=island({"schema": SCHEMA, "units": UNITS, **dataclasses.asdict(report)}),
        scenes=island([scenes.scene(structure) for structure in report.structures]),
        colours=scenes.SCALE,
        colour_scale=island(scenes.SCALE),
        matrix=summaries.matrix(report),
        axis_titles={shift.axis: shift.title for shift in report.axes},
        shift_figures=[Markup(figures.shift_figure(shift)) for shift in report.axes],
        error_groups=_error_groups(report),
        curve_figures=[
            [
                Markup(figures.curve_figure(curve, f"curve-{i}-{j}"))
                for j, curve in enumerate(action.curves)
            ]
            for i, action in enumerate(report.actions)
        ],
        risk_figure=Markup(figures.risk_figure(report.judgement) if report.judgement else ""),
        simulation_figures=_simulation_figures(report),
    )  # fmt: skip


def write_report(report: Report, path: Path | str) -> None:
    """Write the page to ``path``, atomically."""
    write_text(Path(path), render(report))


def island(content: Any) -> Markup:
    """Return ``content`` as JSON that can stand inside a ``<script>`` element.

    What is not a number becomes ``null``; no text in it can end the element.
    """
    text = json.dumps(without_nan(content), ensure_ascii=False, allow_nan=False)
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return Markup(text)


def without_nan(content: Any) -> Any:
    """Return plain values with None for what is not a number."""
    if isinstance(content, dict):
        return {key: without_nan(value) for key, value in content.items()}
    if isinstance(content, (list, tuple)):
        return [without_nan(value) for value in content]
    if isinstance(content, float) and not math.isfinite(content):
        return None
    return content


def _error_groups(report: Report) -> list[dict[str, Any]]:
    limits = figures.error_limits(report.errors)
    return [
        {"name": name, "rows": rows, "figure": Markup(figures.errors_figure(name, rows, limits))}
        for name, rows in summaries.by_set(report.errors).items()
    ]


def _simulation_figures(report: Report) -> dict[str, Markup]:
    drawn = {
        "stability": report.lifetimes and figures.stability_figure(report.lifetimes),
        "causes": report.causes and figures.causes_figure(report.causes),
        "distances": report.distances and figures.distances_figure(report.distances),
        "surfaces": report.surfaces and figures.surfaces_figure(report.surfaces),
    }
    return {name: Markup(figure) for name, figure in drawn.items() if figure}


def environment() -> Environment:
    """The templates, with the filters and functions that they use."""
    found = Environment(
        loader=PackageLoader("farfield.reports"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    found.filters.update(
        fixed=numbers.fixed,
        significant=numbers.significant,
        percent=numbers.percent,
        interval=numbers.interval,
        decimals_for=numbers.decimals_for,
        unbroken=numbers.unbroken,
    )
    found.globals.update(
        spreads=summaries.spreads,
        threshold=summaries.threshold,
        change=summaries.change,
        is_lowest=summaries.is_lowest,
        mean_of=summaries.mean_of,
        strangest_atoms=scenes.strangest_atoms,
        scale_position=scenes.scale_position,
        ticks=scenes.TICKS,
        missing=numbers.MISSING,
    )
    return found


def static(name: str) -> str:
    """The text of a file that a page holds whole."""
    return files("farfield.reports").joinpath("static", name).read_text(encoding="utf-8")


def script_hash(script: str) -> str:
    """Return the source expression that lets exactly this script run."""
    digest = hashlib.sha256(script.encode()).digest()
    return f"sha256-{base64.b64encode(digest).decode()}"
