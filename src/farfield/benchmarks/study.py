"""Run contestants on a task: one small file per seed and contestant, never computed twice."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from ase import Atoms

from farfield.benchmarks.contestants import CONTESTANTS, Bench, Contestant
from farfield.benchmarks.metrics import structure_force_mae
from farfield.files import write_json
from farfield.structures import halves, require_labels, without_labels

Say = Callable[[str], None]
CONTROL = "control"


def run(bench: Bench, name: str, folder: Path, say: Say = print) -> dict[str, Any]:
    """The results of one contestant on every set of the task, computed or read.

    Of each shifted set, one half (drawn with the seed) is what a method may adapt to, without
    labels; it is judged on the other half, and on the control for what it forgot. It is
    judged on the control as such as well.

    Returns
    -------
    By set: ``force_mae`` of each judged structure and ``control_force_mae`` of each control
    structure after the method was made for this set (eV/Å), ``seconds`` to make it, and its
    ``record``.
    """
    task = bench.zoo.task
    path = folder / task.name / f"seed-{bench.seed}" / f"{name}.json"
    if path.exists():
        content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        return content
    control = task.structures(task.control)
    found: dict[str, Any] = {}
    for title, selections in {**task.shifted, CONTROL: task.control}.items():
        adapted, judged = halves(task.structures(selections), bench.seed)
        start = time.monotonic()
        contestant = CONTESTANTS[name](bench, without_labels(adapted))
        seconds = time.monotonic() - start
        others = judged if title == CONTROL else control
        record = contestant.record
        found[title] = {
            "force_mae": _errors(contestant, judged),
            "control_force_mae": _errors(contestant, others),
            "seconds": seconds,
            "record": None if record is None else asdict(record),
        }
        mean = 1000 * sum(found[title]["force_mae"]) / len(judged)
        say(f"{task.name} seed {bench.seed} {name} {title}: {mean:.0f} meV/Å")
    write_json(path, found)
    return found


def _errors(contestant: Contestant, structures: Sequence[Atoms]) -> list[float]:
    labels = require_labels(structures, purpose="the study")
    predictions = contestant.predict(without_labels(structures))
    return [float(value) for value in structure_force_mae(predictions, labels)]
