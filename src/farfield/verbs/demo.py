"""The main job on the embedded example: the verb ``demo``.

Profile the training set, diagnose four shifted test sets and the in-distribution control,
refine the model for each without labels, and compare with the reference on structures that
were not adapted on.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from farfield import embedded
from farfield.benchmarks.comparison import Comparison, Contestants, compare
from farfield.files import write_json
from farfield.potentials import require_trainable
from farfield.priors import load_prior
from farfield.processes import set_up_process
from farfield.refinement import TestTimeSettings, load_model
from farfield.reports import write_report
from farfield.shifts import Diagnosis
from farfield.shifts.profile_files import load as load_profile
from farfield.structures import read, without_labels
from farfield.verbs.demo_report import demo_report, demo_results, line
from farfield.verbs.diagnose import diagnose_structures
from farfield.verbs.inputs import prior_labels
from farfield.verbs.judging import judge
from farfield.verbs.profile import profile as fit_profile
from farfield.verbs.refinement_files import save_model
from farfield.verbs.report_parts import set_summary

PRIOR = "gfn2"
SETS = (embedded.CONTROL, *embedded.SHIFTED)
Say = Callable[[str], None]


def demo(
    output: Path | str,
    *,
    seed: int = 0,
    steps: int | None = None,
    workers: int = 2,
    say: Say = lambda line: None,
) -> dict[str, Any]:
    """Run the main job on the embedded example; everything is written to ``output``.

    Parameters
    ----------
    output
        Folder for ``report.html``, ``results.json``, ``profile.npz``, one refined model per
        shifted set, and the cache of the prior's labels.
    seed
        Of the splits and of test-time training.
    steps
        Gradient steps of test-time training; None takes its default.
    workers
        Processes, of one thread each, over which the test sets are shared out.
    say
        Called with a line of progress now and then.

    Returns
    -------
    The content of ``results.json``.
    """
    start = time.monotonic()
    settings = TestTimeSettings(seed=seed)
    if steps is not None:
        settings = replace(settings, steps=steps)
    folder = Path(output)
    train = read(embedded.structures_file("train"))
    sets = {name: read(embedded.structures_file(name)) for name in SETS}
    model = load_model("embedded")
    say(f"profile of {len(train)} training structures with {model.name}")
    profile = fit_profile(train, model=model, seed=seed, output=folder / "profile.npz")

    diagnoses: dict[str, Diagnosis] = {}
    for name, structures in sets.items():
        diagnoses[name] = diagnose_structures(structures, profile, model=model)
        say(f"{name}: {set_summary(name, diagnoses[name]).sentence}")
    everything = [
        atoms for structures in (train, *sets.values()) for atoms in without_labels(structures)
    ]
    prior_labels(everything, load_prior(PRIOR), cache=folder / "cache")
    say(f"{len(everything)} structures labelled with {load_prior(PRIOR).level_of_theory}")

    compared: dict[str, Comparison] = {}
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        runs = {name: pool.submit(compare_set, name, folder, settings) for name in SETS}
        for name, run in runs.items():
            compared[name] = run.result()
            say(f"{name}: {line(compared[name])}")

    results = demo_results(compared, profile, diagnoses, time.monotonic() - start)
    write_json(folder / "results.json", results)
    judgement = judge(
        Diagnosis([found for part in diagnoses.values() for found in part.structures], {}),
        [atoms for structures in sets.values() for atoms in structures],
        model,
        embedded.structures_file(embedded.CONTROL).name,
    )
    level = load_prior(PRIOR).level_of_theory
    report = demo_report(sets, profile, diagnoses, judgement, compared, level)
    write_report(report, folder / "report.html")
    return results


def compare_set(name: str, folder: Path, settings: TestTimeSettings) -> Comparison:
    """Refine for one set and compare all methods on it; runs in a process of its own."""
    set_up_process()
    contestants = Contestants(
        supervised=load_model("embedded-supervised"),
        joint=require_trainable(load_model("embedded"), "the demo"),
        prior=load_prior(PRIOR),
        profile=load_profile(folder / "profile.npz"),
        replay=read(embedded.structures_file("train")),
        control=read(embedded.structures_file(embedded.CONTROL)),
        settings=settings,
        cache=folder / "cache",
    )
    found, refined = compare(read(embedded.structures_file(name)), contestants)
    save_model(refined, folder / "models" / f"{name}.pt")
    return found
