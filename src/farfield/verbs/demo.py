"""The main job on the embedded example: the verb ``demo``.

Profile the training set, diagnose four shifted test sets and the in-distribution control,
refine the model for each without labels, and compare with the reference on structures that
were not adapted on.
"""

from __future__ import annotations

import platform
import time
from collections.abc import Callable
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch
from ase import Atoms

from farfield import embedded
from farfield.benchmarks.comparison import Comparison, Contestants, compare
from farfield.files import write_json
from farfield.potentials import require_trainable
from farfield.priors import LabelCache, load_prior
from farfield.refinement import TestTimeSettings, load_model
from farfield.reports import ErrorRow, Report, write_report
from farfield.shifts import Diagnosis, Profile
from farfield.structures import read
from farfield.verbs.diagnose import diagnose_structures
from farfield.verbs.profile import profile as fit_profile
from farfield.verbs.refine import save_model
from farfield.verbs.report_parts import (
    action,
    axis_shifts,
    error_row,
    facts,
    set_summary,
    strangest,
)

PRIOR = "gfn2"
SUPERVISED, ALONE = "supervised only", "GFN2-xTB alone"
JOINT, RADIUS, TTT = "two heads, untouched", "radius refinement", "test-time training"
Say = Callable[[str], None]


def demo(output: Path | str, *, seed: int = 0, say: Say = lambda line: None) -> dict[str, Any]:
    """Run the main job on the embedded example; everything is written to ``output``.

    Parameters
    ----------
    output
        Folder for ``report.html``, ``results.json``, ``profile.npz``, one refined model per
        shifted set, and the cache of the prior's labels.
    seed
        Of the splits and of test-time training.
    say
        Called with a line of progress now and then.

    Returns
    -------
    The content of ``results.json``.
    """
    start = time.monotonic()
    folder = Path(output)
    train = read(embedded.structures_file("train"))
    sets = {
        name: read(embedded.structures_file(name)) for name in (embedded.CONTROL, *embedded.SHIFTED)
    }
    joint = require_trainable(load_model("embedded"), "the demo")
    say(f"profile of {len(train)} training structures with {joint.name}")
    profile = fit_profile(train, model=joint, seed=seed, output=folder / "profile.npz")

    diagnoses = {}
    for name, structures in sets.items():
        diagnoses[name] = diagnose_structures(structures, profile, model=joint)
        say(set_summary(name, diagnoses[name]).sentence)

    with LabelCache(folder / "cache") as cache:
        contestants = Contestants(
            supervised=load_model("embedded-supervised"),
            joint=joint,
            prior=load_prior(PRIOR),
            profile=profile,
            replay=train,
            control=sets[embedded.CONTROL],
            settings=TestTimeSettings(seed=seed),
            cache=cache,
        )
        compared = {}
        for name, structures in sets.items():
            compared[name] = compare(structures, contestants)
            save_model(compared[name].ttt_refined.potential, folder / "models" / f"{name}.pt")
            say(_line(name, compared[name]))

    results = _results(compared, profile, diagnoses, time.monotonic() - start)
    write_json(folder / "results.json", results)
    write_report(_report(sets, profile, diagnoses, compared), folder / "report.html")
    return results


def _line(name: str, found: Comparison) -> str:
    before, after = found.joint.force_mae.value, found.ttt.force_mae.value
    if not found.ttt_refined.record.acted:
        return f"{name}: left untouched, {before * 1000:.0f} meV/Å"
    return (
        f"{name}: force MAE {before * 1000:.0f} meV/Å, after test-time training "
        f"{after * 1000:.0f} ({after / before - 1:+.0%}); prior alone "
        f"{found.prior.force_mae.value * 1000:.0f}, supervised only "
        f"{found.supervised.force_mae.value * 1000:.0f}"
    )


def _results(
    compared: dict[str, Comparison],
    profile: Profile,
    diagnoses: dict[str, Diagnosis],
    seconds: float,
) -> dict[str, Any]:
    """All figures of the report as plain values: eV/Å, eV per atom, s."""
    axes = axis_shifts(profile, diagnoses, embedded.CONTROL)
    return {
        "units": {"force": "eV/Å", "energy_per_atom": "eV", "time": "s"},
        "versions": {
            "farfield": version("farfield"),
            "torch": str(torch.__version__),
            "python": platform.python_version(),
        },
        "seed": profile.header["seed"],
        "auroc": {
            axis.axis: {name: asdict(interval) for name, interval in axis.auroc.items()}
            for axis in axes
        },
        "shifted_axis": embedded.SHIFTED,
        "errors": {
            name: {
                key: asdict(getattr(found, key))
                for key in (
                    "supervised",
                    "prior",
                    "joint",
                    "radius",
                    "ttt",
                    "control_before",
                    "control_after",
                )
            }
            for name, found in compared.items()
        },
        "records": {
            name: {
                "radius": found.radius_refined.record.to_json(),
                "ttt": found.ttt_refined.record.to_json(),
            }
            for name, found in compared.items()
        },
        "seconds": seconds,
    }


def _report(
    sets: dict[str, list[Atoms]],
    profile: Profile,
    diagnoses: dict[str, Diagnosis],
    compared: dict[str, Comparison],
) -> Report:
    shifted = [name for name in sets if name != embedded.CONTROL]
    everything = Diagnosis([s for name in shifted for s in diagnoses[name].structures], {})
    drawn = strangest(everything, [atoms for name in shifted for atoms in sets[name]])
    actions = []
    for name, found in compared.items():
        actions.append(action(f"Test-time training for {name}", found.ttt_refined.record))
        actions.append(action(f"Radius refinement for {name}", found.radius_refined.record))
    return Report(
        title="The embedded example",
        subtitle="A small two-head MACE on four kinds of shifted structures",
        headline=[_line(name, found) + "." for name, found in compared.items()],
        facts={**facts(profile), "Prior": load_prior(PRIOR).level_of_theory},
        sets=[set_summary(name, diagnosis) for name, diagnosis in diagnoses.items()],
        axes=axis_shifts(
            profile,
            diagnoses,
            embedded.CONTROL,
            {axis: name for name, axis in embedded.SHIFTED.items()},
        ),
        structures=drawn,
        errors=_error_rows(compared),
        error_notes=[
            "Every set was split in two with the seed: test-time training saw one half, without "
            "labels; all errors are on the other half.",
            "Errors of energies are per atom, after the best constant per composition.",
            "Radius refinement truncates the graph with the paper's criterion; it is not smooth.",
        ],
        actions=actions,
        commands=["make demo", "farfield demo -o demo-report"],
    )


def _error_rows(compared: dict[str, Comparison]) -> list[ErrorRow]:
    rows = []
    for name, found in compared.items():
        rows += [
            error_row(SUPERVISED, name, found.supervised, is_baseline=True),
            error_row(ALONE, name, found.prior, is_baseline=True),
            error_row(JOINT, name, found.joint, is_baseline=True),
            error_row(RADIUS, name, found.radius, before=JOINT),
            error_row(TTT, name, found.ttt, before=JOINT),
        ]
    for name, found in compared.items():
        if name != embedded.CONTROL and found.ttt_refined.record.acted:
            place = f"{embedded.CONTROL}, after adapting to {name}"
            rows += [
                error_row(JOINT, place, found.control_before, is_baseline=True),
                error_row(TTT, place, found.control_after, before=JOINT),
            ]
    return rows
