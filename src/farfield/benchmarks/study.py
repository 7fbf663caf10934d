"""Run contestants on a task: what was computed is kept, and never computed twice."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from ase import Atoms

from farfield.benchmarks.bench import Bench, Contestant
from farfield.benchmarks.contestants.method import Method
from farfield.benchmarks.contestants.registry import CONTESTANTS
from farfield.benchmarks.results.metrics import structure_energy_errors, structure_force_mae
from farfield.benchmarks.tasks.checks import require_metric
from farfield.benchmarks.tasks.task import CONTROL, Metric
from farfield.files import write_json
from farfield.structures import halves, without_labels

Say = Callable[[str], None]


def run(bench: Bench, name: str, folder: Path, say: Say = print) -> dict[str, Any]:
    """The results of one contestant on every set of the task, computed or read.

    Returns
    -------
    By set: ``force_mae`` of each judged structure and ``control_force_mae`` of each control
    structure after the method was made for this set (eV/Å), ``seconds`` to make it, and its
    ``record``.
    """
    task = bench.zoo.task
    path = _file(folder, task.name, bench.seed, name)
    if path.exists():
        content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        return content
    found: dict[str, Any] = {}
    for title in (*task.shifted, CONTROL):
        result = judge(bench, CONTESTANTS[name], title)
        found[title] = {
            "force_mae": result["errors"],
            "control_force_mae": result["control"],
            "seconds": result["seconds"],
            "record": result["record"],
        }
        mean = 1000 * sum(result["errors"]) / len(result["errors"])
        say(f"{task.name} seed {bench.seed} {name} {title}: {mean:.0f} meV/Å")
    write_json(path, found)
    return found


def kept(folder: Path, task: str, name: str, seeds: Sequence[int]) -> dict[int, dict[str, Any]]:
    """What :func:`run` has left of one contestant, by seed; seeds without results are left out."""
    paths = {seed: _file(folder, task, seed, name) for seed in seeds}
    return {
        seed: json.loads(path.read_text(encoding="utf-8"))
        for seed, path in paths.items()
        if path.exists()
    }


def _file(folder: Path, task: str, seed: int, name: str) -> Path:
    return folder / task / f"seed-{seed}" / f"{name}.json"


def judge(bench: Bench, method: Method, title: str) -> dict[str, Any]:
    """Make a contestant for one set, and judge it.

    Of the set, one half (drawn with the seed) is what the method may adapt to, without labels
    unless it is a baseline that is allowed them; it is judged on the other half, and on the
    control for what it forgot. On the control as a set it is judged on its other half alone.

    Returns
    -------
    ``errors`` of each judged structure and ``control`` of each control structure, in the
    task's metric (eV/Å or eV/atom); ``places`` of the judged structures in the set; the
    ``seconds`` to make the contestant and those to ``predict`` a judged structure; and its
    ``record``, None for a baseline.
    """
    task = bench.zoo.task
    structures = task.structures(task.sets[title])
    adapted, judged = halves(structures, bench.seed)
    start = time.monotonic()
    contestant = method.make(bench, adapted if method.sees_labels else without_labels(adapted))
    made = time.monotonic()
    errors = judged_errors(contestant, judged, task.metric)
    predicted = time.monotonic()
    others = judged if title == CONTROL else task.structures(task.control)
    control = errors if title == CONTROL else judged_errors(contestant, others, task.metric)
    record = contestant.record
    places = {id(atoms): place for place, atoms in enumerate(structures)}
    return {
        "errors": errors,
        "control": control,
        "places": [places[id(atoms)] for atoms in judged],
        "seconds": made - start,
        "predict": (predicted - made) / len(judged),
        "record": None if record is None else asdict(record),
    }


def judged_errors(
    contestant: Contestant, structures: Sequence[Atoms], metric: Metric
) -> list[float]:
    """Error of each structure; the contestant sees them without their labels."""
    labels = require_metric(structures, metric, "the benchmark")
    predictions = contestant.predict(without_labels(structures))
    if metric == "force_mae":
        return [float(value) for value in structure_force_mae(predictions, labels)]
    return [float(value) for value in structure_energy_errors(structures, predictions, labels)]
