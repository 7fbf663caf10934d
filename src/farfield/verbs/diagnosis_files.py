"""The files of a diagnosis: CSV, JSON, extended XYZ with per-atom scores, HTML report."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from ase import Atoms

from farfield.files import write_json, write_text
from farfield.reports import Judgement, Report, write_report
from farfield.reports.render import without_nan
from farfield.shifts import DEFAULT, DETECTORS, Diagnosis, Profile, StructureDiagnosis
from farfield.structures import write
from farfield.verbs.report_parts import (
    axis_shifts,
    expected_error,
    facts,
    set_summary,
    strangest,
)

EXPECTED = "expected_force_error_eV_per_A"
UPPER = "force_error_upper_90_eV_per_A"
NOTE = "force_error_note"
COARSE = 0.05  # share of false alarms above which the report warns of few held-out structures


def write_diagnosis(
    diagnosis: Diagnosis,
    structures: Sequence[Atoms],
    profile: Profile,
    folder: Path,
    *,
    control: str | None = None,
    commands: Sequence[str] = (),
    judgement: Judgement | None = None,
) -> None:
    """Write all four files of a diagnosis into ``folder``.

    ``control`` names the file that is like the training set; ``commands`` made the diagnosis;
    ``judgement`` compares its scores with true errors.
    """
    sets = by_file(diagnosis)
    summaries = [set_summary(name, part) for name, part in sets.items()]
    axes = axis_shifts(profile, sets, control)
    report = Report(
        title="Diagnosis",
        subtitle=f"{len(structures)} structures against "
        f"{profile.header['n_structures']} training structures",
        headline=[
            f"{summary.name}: {summary.sentence}{expected_error(sets[summary.name])}"
            for summary in summaries
        ],
        facts=facts(profile),
        sets=summaries,
        axes=axes,
        structures=strangest(diagnosis, structures),
        judgement=judgement,
        commands=list(commands),
        warnings=_warnings(diagnosis, profile),
    )
    content = to_json(diagnosis, profile)
    content["auroc"] = {
        axis.axis: {name: vars(interval) for name, interval in axis.auroc.items()} for axis in axes
    }
    if judgement is not None:
        content["judgement"] = without_nan(asdict(judgement))
    write_text(folder / "scores.csv", _csv(diagnosis, profile))
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
        "profile_fingerprint": profile.fingerprint,
        "units": {axis: DETECTORS[axis].unit for axis in _columns(diagnosis)},
        "not_scored": diagnosis.not_scored,
        "partly_scored": diagnosis.partly_scored,
        "verdicts": {
            verdict: sum(found.verdict == verdict for found in diagnosis.structures)
            for verdict in ("inside", "edge", "outside")
        },
        "structures": [_entry(found, profile) for found in diagnosis.structures],
    }


def _columns(diagnosis: Diagnosis) -> list[str]:
    """The default axes, and what else was scored."""
    return [axis for axis in DETECTORS if axis in DEFAULT or axis in diagnosis.axes]


def _entry(found: StructureDiagnosis, profile: Profile) -> dict[str, Any]:
    """One structure; an axis that it alone lacks is null, with the reason."""
    missing = dict.fromkeys(found.not_scored)
    entry = {
        "file": found.file,
        "index": found.index,
        "formula": found.formula,
        "n_atoms": found.n_atoms,
        "scores": {**found.scores, **missing},
        "quantiles": {**found.quantiles, **missing},
        "not_scored": found.not_scored,
        "quantile": found.quantile,
        "verdict": found.verdict,
        "axis": found.axis,
        "sentence": found.sentence,
    }
    return entry | _force_error(found, profile)


def _force_error(found: StructureDiagnosis, profile: Profile) -> dict[str, float | str | None]:
    """The force error to expect, eV/Å: None where there is no estimate, and the reason."""
    if profile.error_calibration is None:
        return {}
    error, axis = found.error, profile.error_calibration.axis
    lacking = found.not_scored.get(axis, f"no score along {DETECTORS[axis].title.lower()}")
    return {
        EXPECTED: error.expected if error else None,
        UPPER: error.upper_90 if error else None,
        NOTE: error.note if error else lacking,
    }


def _csv(diagnosis: Diagnosis, profile: Profile) -> str:
    """One row per structure; what a structure lacks leaves its cell empty."""
    buffer = io.StringIO()
    columns = [f"{kind}_{axis}" for axis in _columns(diagnosis) for kind in ("score", "quantile")]
    head = ["file", "index", "formula", "n_atoms", *columns, "quantile", "verdict"]
    errors = [] if profile.error_calibration is None else [EXPECTED, UPPER, NOTE]
    writer = csv.DictWriter(buffer, [*head, *errors], lineterminator="\n")
    writer.writeheader()
    for found in diagnosis.structures:
        row: dict[str, Any] = {key: getattr(found, key) for key in head[:4]}
        row |= {f"score_{axis}": _cell(value) for axis, value in found.scores.items()}
        row |= {f"quantile_{axis}": _cell(value) for axis, value in found.quantiles.items()}
        row |= {"quantile": _cell(found.quantile), "verdict": found.verdict}
        row |= {key: _cell(value) for key, value in _force_error(found, profile).items()}
        writer.writerow(row)
    return buffer.getvalue()


def _cell(value: float | str | None) -> str:
    return format(value, ".6g") if isinstance(value, float) else value or ""


def _warnings(diagnosis: Diagnosis, profile: Profile) -> list[str]:
    told = [f"{DETECTORS[a].title} was not scored: {r}." for a, r in diagnosis.not_scored.items()]
    for axis, reason in diagnosis.partly_scored.items():
        told.append(f"{DETECTORS[axis].title} was not scored for all structures: {reason}.")
    scored = "prior_residual" in diagnosis.axes
    if scored and profile.header["n_held_out"] is None:
        told.append(
            "The prior residual is compared with structures that the model was trained on, where "
            "it is smaller than on new structures of the same kind, so its quantiles are too "
            "large: make the profile with  --calibration  and structures that were held out."
        )
    combined = max((found.combined_axes for found in diagnosis.structures), key=len)
    count = len(profile.combined_null(combined))
    beyond = len(combined) / (count + 1)
    if beyond > COARSE:
        told.append(
            f"Quantiles are shares of {count} held-out structures: up to {100 * beyond:.0f} % of "
            "structures like those in training lie beyond all of them along some axis, and are "
            "called outside."
        )
    return told


def _annotated(diagnosis: Diagnosis, structures: Sequence[Atoms]) -> list[Atoms]:
    annotated = []
    for atoms, found in zip(structures, diagnosis.structures, strict=True):
        copy = atoms.copy()
        copy.info["farfield_quantile"] = found.quantile
        copy.info["farfield_verdict"] = found.verdict
        copy.info["farfield_axis"] = found.axis
        for axis, quantiles in found.atom_quantiles.items():
            copy.arrays[f"farfield_quantile_{axis}"] = quantiles
        if found.error is not None:
            copy.arrays["farfield_expected_force_error"] = found.error.atoms
        annotated.append(copy)
    return annotated
