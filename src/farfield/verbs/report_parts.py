"""From results to the parts of a report."""

from __future__ import annotations

import platform
from collections.abc import Sequence
from importlib.metadata import version

import numpy as np
from ase import Atoms

from farfield.benchmarks import Errors, Estimate, auroc, bootstrap
from farfield.refinement import Record
from farfield.reports import (
    Action,
    AxisShift,
    Curve,
    DrawnStructure,
    ErrorRow,
    Interval,
    SetSummary,
    covalent_bonds,
)
from farfield.shifts import DETECTORS, Diagnosis, Profile

DRAWN = 6
_MILLI = 1000.0


def facts(profile: Profile) -> dict[str, str]:
    """What a reader must know of the profile."""
    header = profile.header
    held_out = header["n_held_out"]
    return {
        "Training structures": str(header["n_structures"]),
        "Quantiles against": f"{held_out} structures held out from training"
        if held_out
        else "five folds of the training structures",
        "Level of theory": str(header["level_of_theory"]),
        "Model": header["model"] or "none",
        "Cutoff of the graph": f"{header['cutoff']:g} Å",
        "Force norm measured on": header["force_source"] or "not measured",
        "Force norm by the prior measured on": header.get("prior_force_source") or "not measured",
        "Estimate of the force error": header["error_estimate"],
        "Training structures kept with their labels": str(header.get("n_coreset", "none")),
        "Fingerprint of the profile": profile.fingerprint,
        "Seed of the held-out folds": str(header["seed"]),
        "Versions": f"farfield {version('farfield')}, Python {platform.python_version()}",
    }


def set_summary(name: str, diagnosis: Diagnosis) -> SetSummary:
    """Verdict counts of one set, its leading axis, and a sentence."""
    found = diagnosis.structures
    verdicts = {v: sum(s.verdict == v for s in found) for v in ("inside", "edge", "outside")}
    quantiles: dict[str, list[float]] = {}
    for structure in found:
        for axis in structure.combined_axes:
            quantiles.setdefault(axis, []).append(structure.quantiles[axis])
    medians = {axis: float(np.median(values)) for axis, values in quantiles.items()}
    leading = max(medians, key=lambda axis: medians[axis])
    shifted = verdicts["edge"] + verdicts["outside"]
    words = f"{verdicts['outside']} of {len(found)} structures are outside the training domain"
    if verdicts["edge"]:
        words += f" and {verdicts['edge']} at its edge"
    sentence = words
    if shifted > len(found) / 2:
        sentence += f", foremost along {DETECTORS[leading].title.lower()}"
    return SetSummary(
        name=name,
        n_structures=len(found),
        verdicts=verdicts,
        leading_axis=leading if shifted > len(found) / 2 else None,
        sentence=sentence + ".",
    )


def expected_error(diagnosis: Diagnosis) -> str:
    """A sentence on the force errors to expect; empty without a calibrated profile."""
    errors = [found.error for found in diagnosis.structures if found.error is not None]
    if not errors:
        return ""
    expected = [error.expected for error in errors if error.expected is not None]
    bounds = [error.upper_90 for error in errors if error.upper_90 is not None]
    sentence = ""
    if expected:
        sentence = (
            f" Expected force error (mean norm per atom): {np.median(expected):.3f} eV/Å in the "
            f"median; the largest 90 % bound is {max(bounds):.3f}."
        )
    if len(expected) < len(errors):
        sentence += (
            f" {len(errors) - len(expected)} of {len(errors)} structures lie beyond the calibrated "
            "range of the error estimate."
        )
    return sentence


def axis_shifts(
    profile: Profile,
    sets: dict[str, Diagnosis],
    control: str | None = None,
    shifted: dict[str, str] | None = None,
) -> list[AxisShift]:
    """The scores of every set along every axis that was scored.

    ``control`` names the in-distribution set; ``shifted`` maps an axis to the set that was
    shifted along it on purpose.
    """
    parts = []
    scored = {axis for diagnosis in sets.values() for axis in diagnosis.axes}
    for axis in DETECTORS:
        if axis not in scored or any(axis in found.not_scored for found in sets.values()):
            continue
        detector = DETECTORS[axis]
        scores = {
            name: [found.scores[axis] for found in diagnosis.structures if axis in found.scores]
            for name, diagnosis in sets.items()
        }
        against = {}
        if control is not None and scores[control]:
            reference = np.array(scores[control])
            for name, values in scores.items():
                if name != control and values:
                    against[name] = _interval(bootstrap(auroc, reference, np.array(values)))
        parts.append(
            AxisShift(
                axis=axis,
                title=detector.title,
                unit=detector.unit,
                explanation=detector.explanation,
                training=profile.axes[axis].null.tolist(),
                sets=scores,
                control=control,
                auroc=against,
                shifted=(shifted or {}).get(axis),
            )
        )
    return parts


def strangest(
    diagnosis: Diagnosis, structures: Sequence[Atoms], count: int = DRAWN
) -> list[DrawnStructure]:
    """The structures farthest from training, one per formula and axis, farthest first."""
    order = sorted(
        range(len(structures)),
        key=lambda place: (
            -diagnosis.structures[place].quantile,
            -_excess(diagnosis, place),
        ),
    )
    drawn: list[DrawnStructure] = []
    seen = set()
    for place in order:
        found, atoms = diagnosis.structures[place], structures[place]
        if (found.formula, found.file) in seen or len(drawn) == count:
            continue
        seen.add((found.formula, found.file))
        name = atoms.info.get("molecule")
        drawn.append(
            DrawnStructure(
                title=f"{name}, {found.formula}" if name else found.formula,
                numbers=atoms.numbers.tolist(),
                positions=atoms.positions.tolist(),
                bonds=covalent_bonds(atoms.numbers, atoms.positions),
                atom_values=found.atom_quantiles[found.axis].tolist(),
                axis=found.axis,
                quantile=found.quantile,
                reason=found.sentence,
                file=found.file,
                index=found.index,
                cell=np.asarray(atoms.cell).tolist() if atoms.pbc.any() else None,
            )
        )
    return drawn


def _excess(diagnosis: Diagnosis, place: int) -> float:
    """How far a score stands out among the diagnosed structures on its leading axis."""
    axis = diagnosis.structures[place].axis
    scores = np.array([item.scores[axis] for item in diagnosis.structures if axis in item.scores])
    return float(np.mean(scores <= diagnosis.structures[place].scores[axis]))


def error_row(
    method: str,
    set_name: str,
    found: Errors,
    *,
    is_baseline: bool = False,
    before: str | None = None,
    note: str = "",
) -> ErrorRow:
    """One row of the table of errors, in meV/Å and meV/atom."""
    energy = found.energy_mae_per_atom
    return ErrorRow(
        method=method,
        set_name=set_name,
        n_structures=found.n_structures,
        force_mae=_interval(found.force_mae, _MILLI),
        median=found.force_mae_median * _MILLI,
        q25=found.force_mae_q25 * _MILLI,
        q75=found.force_mae_q75 * _MILLI,
        energy_mae_per_atom=None if energy is None else energy * _MILLI,
        is_baseline=is_baseline,
        before=before,
        note=note,
    )


def action(title: str, record: Record) -> Action:
    """What one refinement did, and why."""
    figures = {name: format(value, ".4g") for name, value in record.figures.items()}
    figures["wall time"] = f"{record.seconds:.0f} s"
    curves = [Curve(c.title, c.unit, c.steps, c.series, c.kept) for c in record.curves]
    return Action(title, record.acted, record.reasons, figures, curves)


def _interval(estimate: Estimate, factor: float = 1.0) -> Interval:
    return Interval(estimate.value * factor, estimate.low * factor, estimate.high * factor)
