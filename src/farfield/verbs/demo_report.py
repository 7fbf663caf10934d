"""The report and the figures of the demo."""

from __future__ import annotations

import platform
from dataclasses import asdict
from importlib.metadata import version
from typing import Any

from ase import Atoms

from farfield import embedded
from farfield.benchmarks import Errors
from farfield.benchmarks.comparison import Comparison
from farfield.reports import ErrorRow, Judgement, Report
from farfield.shifts import Diagnosis, Profile
from farfield.verbs.report_parts import (
    action,
    axis_shifts,
    error_row,
    facts,
    set_summary,
    strangest,
)

SUPERVISED, ALONE = "supervised only", "GFN2-xTB alone"
JOINT, RADIUS, TTT = "two heads, untouched", "radius refinement", "test-time training"
CORRECTION = "prior correction"


def line(found: Comparison) -> str:
    """One set's errors in a sentence."""
    before, after = found.joint.force_mae.value, found.ttt.force_mae.value
    corrected = found.correction.force_mae.value
    others = (
        f"prior correction {corrected * 1000:.0f}; GFN2-xTB alone "
        f"{found.prior.force_mae.value * 1000:.0f}, supervised only "
        f"{found.supervised.force_mae.value * 1000:.0f}"
    )
    if not found.ttt_record.acted:
        return (
            f"test-time training leaves the model alone at a force MAE of {before * 1000:.0f} "
            f"meV/Å ({others})"
        )
    control = found.control_after.force_mae.value / found.control_before.force_mae.value - 1
    return (
        f"test-time training takes the force MAE from {before * 1000:.0f} to "
        f"{after * 1000:.0f} meV/Å ({after / before - 1:+.0%}), in distribution it changes by "
        f"{control:+.0%} ({others})"
    )


def _headline(compared: dict[str, Comparison]) -> list[str]:
    before = [found.joint for found in compared.values()]
    sentences = [
        _helped("test-time training", [found.ttt for found in compared.values()], before),
        _helped("prior correction", [found.correction for found in compared.values()], before),
    ]
    first = f"Without labels, {'; '.join(sentences)}."
    return [first, *(f"{title(name)}: {line(found)}." for name, found in compared.items())]


def _helped(method: str, after: list[Errors], before: list[Errors]) -> str:
    changes = [
        new.force_mae.value / old.force_mae.value - 1
        for new, old in zip(after, before, strict=True)
    ]
    helped = [change for change in changes if change < 0]
    if not helped:
        return f"{method} helps on none of the sets"
    return (
        f"{method} lowers the force error on {len(helped)} of {len(changes)} sets, by "
        f"{-max(helped):.0%} to {-min(helped):.0%}"
    )


def title(name: str) -> str:
    """The name of a set for people."""
    return name.replace("_", " ")


def demo_results(
    compared: dict[str, Comparison],
    profile: Profile,
    diagnoses: dict[str, Diagnosis],
    seconds: float,
) -> dict[str, Any]:
    """All figures of the report as plain values: eV/Å, eV per atom, s."""
    methods = ("supervised", "prior", "joint", "radius", "ttt", "correction")
    errors = (*methods, "control_before", "control_after")
    return {
        "units": {"force": "eV/Å", "energy_per_atom": "eV", "time": "s"},
        "versions": {
            package: version(package) for package in ("farfield", "torch", "mace-torch", "tblite")
        }
        | {"python": platform.python_version()},
        "seed": profile.header["seed"],
        "shifted_axis": embedded.SHIFTED,
        "auroc": {
            axis.axis: {name: asdict(interval) for name, interval in axis.auroc.items()}
            for axis in axis_shifts(profile, diagnoses, embedded.CONTROL)
        },
        "errors": {
            name: {key: asdict(getattr(found, key)) for key in errors}
            for name, found in compared.items()
        },
        "records": {
            name: {
                "radius": found.radius_record.to_json(),
                "ttt": found.ttt_record.to_json(),
                "correction": found.correction_record.to_json(),
            }
            for name, found in compared.items()
        },
        "seconds": seconds,
    }


def demo_report(
    sets: dict[str, list[Atoms]],
    profile: Profile,
    diagnoses: dict[str, Diagnosis],
    judgement: Judgement,
    compared: dict[str, Comparison],
    prior: str,
) -> Report:
    """The whole main job as one report."""
    shifted = [name for name in sets if name != embedded.CONTROL]
    everything = Diagnosis([s for name in shifted for s in diagnoses[name].structures], {})
    actions = []
    for name, found in compared.items():
        actions.append(action(f"Test-time training for {title(name)}", found.ttt_record))
        actions.append(action(f"Prior correction for {title(name)}", found.correction_record))
        actions.append(action(f"Radius refinement for {title(name)}", found.radius_record))
    return Report(
        title="The embedded example",
        subtitle="A small two-head MACE on four kinds of shifted structures, and on its control",
        headline=_headline(compared),
        facts={**facts(profile), "Prior": prior},
        sets=[set_summary(title(name), diagnosis) for name, diagnosis in diagnoses.items()],
        axes=axis_shifts(
            profile,
            {title(name): diagnosis for name, diagnosis in diagnoses.items()},
            title(embedded.CONTROL),
            {axis: title(name) for name, axis in embedded.SHIFTED.items()},
        ),
        structures=strangest(everything, [atoms for name in shifted for atoms in sets[name]]),
        judgement=judgement,
        errors=_error_rows(compared),
        error_notes=[
            "Every set was split in two at random: test-time training saw one half, without "
            "labels; all errors are on the other half. In-distribution errors after adaptation "
            "are on the whole control set.",
            "Prior correction computes GFN2-xTB at every prediction; test-time training and radius "
            "refinement do not.",
            "Energies are compared after the best constant per composition.",
            "Radius refinement truncates the graph by the paper's criterion; it is not smooth.",
            "These are development sets: learning rate, steps and replay weight of test-time "
            "training were chosen on new molecules, the gate's price of forgetting after seeing "
            "new connectivity and high force norm, and the weighting of edges in the connectivity "
            "axis by its AUROC here. No figure is that of an untouched set.",
        ],
        actions=actions,
        commands=["farfield demo -o demo-report"],
    )


def _error_rows(compared: dict[str, Comparison]) -> list[ErrorRow]:
    rows = []
    for name, found in compared.items():
        rows += [
            error_row(SUPERVISED, title(name), found.supervised, is_baseline=True),
            error_row(ALONE, title(name), found.prior, is_baseline=True),
            error_row(JOINT, title(name), found.joint, is_baseline=True),
            error_row(RADIUS, title(name), found.radius, before=JOINT),
            error_row(TTT, title(name), found.ttt, before=JOINT),
            error_row(CORRECTION, title(name), found.correction, before=JOINT),
        ]
    for name, found in compared.items():
        if name != embedded.CONTROL and found.ttt_record.acted:
            place = f"control, after {title(name)}"
            rows += [
                error_row(JOINT, place, found.control_before, is_baseline=True),
                error_row(TTT, place, found.control_after, before=JOINT),
            ]
    return rows
