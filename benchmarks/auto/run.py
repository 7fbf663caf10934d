"""``--method auto`` over all development sets: does it ever harm, and what does it leave lying.

The two-head model of each task is adapted to one half of each of its sets, the control too,
without labels, and judged on the other half: by each of the methods that ``auto`` chooses from,
and by ``auto`` itself, which has the prior and the training set, but no evidence from groups
left out of training. The oracle is, set by set, the best of the methods and the untouched
model, known only with labels.

Usage: ``python benchmarks/auto/run.py [--tasks embedded md17 TASK.yaml] [--seeds 0 1 2]
[--folder build/auto]``. What lies in the folder, models and results alike, is not computed
again. Of the tasks that are files only the first seed is judged. Tasks other than ``embedded``
need FARFIELD_DATA. Writes ``results.json`` and ``results.md`` beside this script.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import numpy as np

from farfield.benchmarks.bench import Bench
from farfield.benchmarks.scripts import open_zoos, write_study
from farfield.benchmarks.study import run
from farfield.benchmarks.zoo import Zoo

HERE = Path(__file__).parent
OTHERS = ("silicon", "germanium", "lithium", "formic-acid", "ethanol", "acetylacetone", "3bpa")
TASKS = ("embedded", "md17", *(str(HERE.parent / f"diagnosis/{name}.yaml") for name in OTHERS))
UNTOUCHED, AUTO = "joint", "auto"
METHODS = {"cautious_correction": "correction", "ttt": "test-time training", "radius": "radius"}


def judged(zoo: Zoo, seed: int, folder: Path) -> dict[str, dict[str, Any]]:
    """By set: the untouched model's force MAE (meV/Å), and the change by each method (%)."""
    bench = Bench(zoo, seed, folder / "cache")
    names = (UNTOUCHED, *METHODS, AUTO)
    found = {name: run(bench, name, folder / "results") for name in names}
    result = {}
    for title in zoo.task.sets:
        errors = {name: float(np.mean(found[name][title]["force_mae"])) for name in names}
        result[title] = {
            "untouched_meV_per_A": 1000 * errors[UNTOUCHED],
            "changes": {name: 100 * (errors[name] / errors[UNTOUCHED] - 1) for name in names[1:]},
            "chosen": found[AUTO][title]["record"]["settings"]["chosen"],
        }
    return result


def conclusions(results: dict[str, dict[int, dict[str, dict[str, Any]]]]) -> dict[str, Any]:
    """Over all sets and seeds: the worst change, the mean change, and the share of the gain."""
    each = [
        entry["changes"]
        for seeds in results.values()
        for sets in seeds.values()
        for entry in sets.values()
    ]
    oracle = [min(0.0, *(changes[name] for name in METHODS)) for changes in each]
    means = {name: float(np.mean([c[name] for c in each])) for name in (*METHODS, AUTO)}
    best = min(METHODS, key=lambda name: means[name])
    return {
        "sets": len(each),
        "mean_change_percent": {**means, "oracle": float(np.mean(oracle))},
        "worst_change_percent": {n: max(c[n] for c in each) for n in (*METHODS, AUTO)},
        "best_single_method": best,
        "share_of_best_single_method": _share(means[AUTO], means[best]),
        "share_of_oracle": _share(means[AUTO], float(np.mean(oracle))),
    }


def _share(own: float, best: float) -> float | None:
    """Of a gain; None where there is none to have."""
    return own / best if best < 0.0 else None


def table(results: dict[str, dict[int, dict[str, dict[str, Any]]]], found: dict[str, Any]) -> str:
    """Markdown: a row per set, means over the seeds; and the conclusions."""
    titles = [*METHODS.values(), "auto"]
    heads = ["task", "set", "untouched (meV/Å)", *titles, "chosen by auto"]
    lines = ["| " + " | ".join(heads) + " |", "|---" * len(heads) + "|"]
    for task, seeds in results.items():
        for title in next(iter(seeds.values())):
            entries = [sets[title] for sets in seeds.values()]
            chosen = sorted({str(entry["chosen"] or "nothing") for entry in entries})
            cells = [task, title.replace("_", " ")]
            cells += [f"{np.mean([e['untouched_meV_per_A'] for e in entries]):.0f}"]
            for name in (*METHODS, AUTO):
                cells += [f"{np.mean([e['changes'][name] for e in entries]):+.0f} %"]
            lines.append("| " + " | ".join([*cells, ", ".join(chosen)]) + " |")
    mean, worst = found["mean_change_percent"], found["worst_change_percent"]
    heads = [f"over {found['sets']} sets and seeds", *titles, "oracle"]
    lines += ["", "| " + " | ".join(heads) + " |", "|---" * len(heads) + "|"]
    lines.append("| mean change | " + " | ".join(f"{v:+.1f} %" for v in mean.values()) + " |")
    cells = [f"{v:+.1f} %" for v in worst.values()] + ["0 %"]
    lines.append("| worst change | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def main() -> None:
    """Run what is missing, and write the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tasks", nargs="+", default=list(TASKS))
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--folder", type=Path, default=Path("build/auto"))
    arguments = parser.parse_args()
    folder, results = arguments.folder, {}
    for spec, zoo in zip(arguments.tasks, open_zoos(arguments.tasks, folder), strict=True):
        seeds = arguments.seeds[:1] if spec.endswith(".yaml") else arguments.seeds
        results[zoo.task.name] = {seed: judged(zoo, seed, folder) for seed in seeds}
    found = conclusions(results)
    content = {"seeds": arguments.seeds, "conclusions": found, "results": results}
    command = "python benchmarks/auto/run.py"
    write_study(HERE / "results", command, content, table(results, found))


if __name__ == "__main__":
    main()
