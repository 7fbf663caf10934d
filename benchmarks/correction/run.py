"""Prior correction, retrofit and distillation against their baselines, as one table per task.

Usage: ``python benchmarks/correction/run.py [--tasks embedded md17] [--seeds 0 1 2]
[--folder build/correction] [--only NAME ...]``. What lies in the folder, models and results
alike, is not computed again. The task ``md17`` needs FARFIELD_DATA to name the folder that
holds ``md17/``. Writes ``TASK.json`` and ``TASK.md`` beside this script; rows there of which the
folder holds no more seeds stay.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Collection
from pathlib import Path
from typing import Any

from farfield.benchmarks.bench import Bench
from farfield.benchmarks.contestants.registry import CONTESTANTS
from farfield.benchmarks.heads import compare_heads, heads_table
from farfield.benchmarks.results.tables import added, summary, table
from farfield.benchmarks.scripts import open_zoos, write_study
from farfield.benchmarks.study import kept, run
from farfield.benchmarks.zoo import Strategy, Zoo

HERE = Path(__file__).parent
TWO_HEADS: tuple[Strategy, ...] = ("joint", "joint-difference", "retrofit", "retrofit-head")
TITLES = {
    "supervised": "supervised",
    "prior_alone": "prior alone",
    "delta": "Δ-model (prior at inference)",
    "joint": "joint, untouched",
    "ttt": "joint, test-time training",
    "head_difference": "joint, corrected with β = 1",
    "cautious_correction": "joint, corrected, cautious β",
    "correction": "joint, corrected, learned β",
    "auto": "joint, auto (cautious β)",
    "joint_difference": "joint with the heads' difference, untouched",
    "difference_correction": "joint with the heads' difference, corrected, learned β",
    "delta_correction": "joint, corrected with the Δ-model too, learned β",
    "distil": "joint, corrected and distilled",
    "retrofit": "retrofit of supervised, corrected",
    "retrofit_head": "retrofit, head alone, corrected",
    "retrofit_ttt": "retrofit, test-time training",
    "retrofit_distil": "retrofit, corrected and distilled",
}


def main() -> None:
    """Run what is missing, and write the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tasks", nargs="+", default=["embedded", "md17"])
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--folder", type=Path, default=Path("build/correction"))
    parser.add_argument("--only", nargs="+", choices=list(CONTESTANTS), default=list(TITLES))
    arguments = parser.parse_args()
    folder: Path = arguments.folder
    for zoo in open_zoos(arguments.tasks, folder):
        for seed in arguments.seeds:
            bench = Bench(zoo, seed, folder / "cache")
            for contestant in arguments.only:
                run(bench, contestant, folder / "results")
        write(zoo, arguments.seeds, folder)


def write(zoo: Zoo, seeds: list[int], folder: Path) -> None:
    """Write both files of one task."""
    task = zoo.task
    found = {name: kept(folder / "results", task.name, name, seeds) for name in TITLES}
    results = {name: each for name, each in found.items() if each}
    path = HERE / f"{task.name}.json"
    before = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    content: dict[str, Any] = {
        "task": task.model_dump(mode="json"),
        "seeds": seeds,
        "results": added(before.get("results", {}), summary(task, results)),
        "heads": {**before.get("heads", {}), **_heads(zoo, folder, results)},
    }
    text = table(task, content["results"], TITLES) + "\n" + heads_table(content["heads"])
    command = f"python benchmarks/correction/run.py --tasks {task.name}"
    write_study(path.with_suffix(""), command, content, text)


def _heads(zoo: Zoo, folder: Path, known: Collection[str]) -> dict[str, Any]:
    """How alike the heads err, for the models of the first seed."""
    bench = Bench(zoo, 0, folder / "cache")
    return {
        strategy: {
            title: compare_heads(bench, strategy, zoo.task.structures(selections))
            for title, selections in zoo.task.sets.items()
        }
        for strategy in TWO_HEADS
        if strategy.replace("-", "_") in known
    }


if __name__ == "__main__":
    main()
