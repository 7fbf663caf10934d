"""The files of a diagnosis: CSV, JSON, extended XYZ with per-atom scores, HTML report."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ase import Atoms

from farfield.files import write_json, write_text
from farfield.reports import Report, write_report
from farfield.shifts import DETECTORS, Diagnosis, Profile
from farfield.structures import write
from farfield.verbs.report_parts import axis_shifts, facts, set_summary, strangest


def write_diagnosis(
    diagnosis: Diagnosis,
    structures: Sequence[Atoms],
    profile: Profile,
    folder: Path,
    *,
    control: str | None = None,
    commands: Sequence[str] = (),
) -> None:
    """Write all four files of a diagnosis into ``folder``.

    ``control`` names the file that is like the training set; ``commands`` made the diagnosis.
    """
    sets = by_file(diagnosis)
    summaries = [set_summary(name, part) for name, part in sets.items()]
    axes = axis_shifts(profile, sets, control)
    report = Report(
        title="Diagnosis",
        subtitle=f"{len(structures)} structures against "
        f"{profile.header['n_structures']} training structures",
        headline=[f"{summary.name}: {summary.sentence}" for summary in summaries],
        facts=facts(profile),
        sets=summaries,
        axes=axes,
        structures=strangest(diagnosis, structures),
        commands=list(commands),
        warnings=[
            f"{DETECTORS[a].title} was not scored: {r}." for a, r in diagnosis.not_scored.items()
        ],
    )
    content = to_json(diagnosis, profile)
    content["auroc"] = {
        axis.axis: {name: vars(interval) for name, interval in axis.auroc.items()} for axis in axes
    }
    write_text(folder / "scores.csv", _csv(diagnosis))
    write_json(folder / "diagnosis.json", content)
    write(folder / "structures.extxyz", _annotated(diagnosis, structures))
    write_report(report, folder / "report.html")


def by_file(diagnosis: Diagnosis) -> dict[str, Diagnosis]:
    """The diagnosis of each file by itself."""
    places: dict[str, list[int]] = {}
    for place, found in enumerate(diagnosis.structures):
        places.setdefault(found.file or "structures", []).append(place)
    return {
        name: Diagnosis([diagnosis.structures[place] for place in chosen], diagnosis.not_scored)
        for name, chosen in places.items()
    }


def to_json(diagnosis: Diagnosis, profile: Profile) -> dict[str, Any]:
    """The diagnosis as plain values, with units."""
    return {
        "profile": profile.header,
        "units": {axis: DETECTORS[axis].unit for axis in profile.axes},
        "not_scored": diagnosis.not_scored,
        "verdicts": {
            verdict: sum(found.verdict == verdict for found in diagnosis.structures)
            for verdict in ("inside", "edge", "outside")
        },
        "structures": [
            {
                "file": found.file,
                "index": found.index,
                "formula": found.formula,
                "n_atoms": found.n_atoms,
                "scores": found.scores,
                "quantiles": found.quantiles,
                "quantile": found.quantile,
                "verdict": found.verdict,
                "axis": found.axis,
                "sentence": found.sentence,
            }
            for found in diagnosis.structures
        ],
    }


def _csv(diagnosis: Diagnosis) -> str:
    """One row per structure; an axis that was not scored leaves its cells empty."""
    buffer = io.StringIO()
    columns = [f"{kind}_{axis}" for axis in DETECTORS for kind in ("score", "quantile")]
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(["file", "index", "formula", "n_atoms", *columns, "quantile", "verdict"])
    for found in diagnosis.structures:
        cells = [
            format(values[axis], ".6g") if axis in values else ""
            for axis in DETECTORS
            for values in (found.scores, found.quantiles)
        ]
        head = [found.file, found.index, found.formula, found.n_atoms]
        writer.writerow([*head, *cells, format(found.quantile, ".6g"), found.verdict])
    return buffer.getvalue()


def _annotated(diagnosis: Diagnosis, structures: Sequence[Atoms]) -> list[Atoms]:
    annotated = []
    for atoms, found in zip(structures, diagnosis.structures, strict=True):
        copy = atoms.copy()
        copy.info["farfield_quantile"] = found.quantile
        copy.info["farfield_verdict"] = found.verdict
        copy.info["farfield_axis"] = found.axis
        for axis, quantiles in found.atom_quantiles.items():
            copy.arrays[f"farfield_quantile_{axis}"] = quantiles
        annotated.append(copy)
    return annotated
