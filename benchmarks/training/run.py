"""Test-time training against its baselines, and its worth in labels.

Two parts, each a table: ``methods``, every contestant on every set over the seeds; ``labels``,
the supervised model fine-tuned on so many *labelled* structures of the test set, by farfield and
by mace-torch's own multihead fine-tuning. What matters in it is the study of ``variants.py``.

Usage: ``python benchmarks/training/run.py [--parts methods labels] [--seeds 0 1 2]
[--tasks embedded md17] [--ways replay alone multihead] [--folder build/training]``. What lies in
the folder, models and results alike, is not computed again. The task ``md17`` needs FARFIELD_DATA.
Writes ``results.json`` and ``results.md`` beside this script; rows there of which the folder holds
no more seeds stay.
"""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Sequence
from functools import partial
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
from ase import Atoms

from farfield.benchmarks.bench import Bench, Contestant
from farfield.benchmarks.contestants.fine_tuning import fine_tune
from farfield.benchmarks.contestants.mace_multihead import mace_multihead
from farfield.benchmarks.contestants.method import Method
from farfield.benchmarks.results.tables import added, summary, table
from farfield.benchmarks.scripts import open_zoos, write_study
from farfield.benchmarks.study import CONTROL, judge, run
from farfield.benchmarks.tasks.task import load_task
from farfield.files import write_json
from farfield.structures import read

HERE = Path(__file__).parent
PARTS = ("methods", "labels")
METHODS = {
    "supervised": "supervised",
    "prior_alone": "prior alone",
    "delta": "Δ-model (prior at inference)",
    "joint": "joint, untouched",
    "ttt_prior": "joint, test-time training on the prior alone",
    "ttt": "joint, test-time training",
    "retrofit_ttt": "supervised, retrofitted, test-time training",
    "freeze": "pre-trained on the prior, untouched",
    "freeze_ttt": "pre-trained on the prior, test-time training",
}
COUNTS = (1, 3, 10, 30, 100)
MULTIHEAD = 10  # labelled structures for mace-torch's multihead fine-tuning
WAYS = ("replay", "alone", "multihead")
POOLS = {"toluene": "md17/toluene.xyz.gz", "naphthalene": "md17/naphthalene.xyz.gz"}
POOL = slice(60, 160)  # structures of the same molecule that are not in the task
Entry = dict[str, Any]


def main() -> None:
    """Run what is missing, and write the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--parts", nargs="+", default=list(PARTS), choices=[*PARTS, "none"])
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--tasks", nargs="+", default=["embedded", "md17"])
    parser.add_argument("--methods", nargs="+", default=list(METHODS), choices=list(METHODS))
    parser.add_argument("--ways", nargs="+", default=list(WAYS), choices=list(WAYS))
    parser.add_argument("--folder", type=Path, default=Path("build/training"))
    arguments = parser.parse_args()
    folder: Path = arguments.folder
    for zoo in open_zoos(arguments.tasks, folder):
        benches = [Bench(zoo, seed, folder / "cache") for seed in arguments.seeds]
        if "methods" in arguments.parts:
            for bench in benches:
                for method in arguments.methods:
                    run(bench, method, folder / "results")
        if "labels" in arguments.parts:
            for bench in benches:
                labels(bench, folder, arguments.ways)
    write(folder)


def labels(bench: Bench, folder: Path, wanted: Sequence[str]) -> None:
    """Fine-tuning on more and more labelled structures, with replay and without."""
    for name in bench.zoo.task.unseen_molecules:
        ways = [(count, way) for count in COUNTS for way in WAYS[:2]]
        for count, way in [*ways, (MULTIHEAD, WAYS[2])]:
            if way in wanted and count <= _available(bench, name):
                method = Method(partial(_fine_tuned, name, count, way), "", sees_labels=True)
                _kept(_path(folder, bench, f"{name}_{count}_{way}"), bench, method, name)


def _fine_tuned(
    name: str, count: int, way: str, bench: Bench, structures: Sequence[Atoms]
) -> Contestant:
    known = [*structures, *_pool(name)]
    if way == "multihead":
        return mace_multihead(count, bench, known)
    return fine_tune(count, bench, known, replay=way == "replay")


def _pool(name: str) -> list[Atoms]:
    """Further labelled structures of a molecule, where the data hold more than the task."""
    if name not in POOLS:
        return []
    return read(Path(os.environ["FARFIELD_DATA"]) / POOLS[name])[POOL]


def _available(bench: Bench, name: str) -> int:
    half = len(bench.zoo.task.structures(bench.zoo.task.shifted[name])) // 2
    return half + len(_pool(name))


def _path(folder: Path, bench: Bench, key: str) -> Path:
    return folder / "labels" / bench.zoo.task.name / f"seed-{bench.seed}" / f"{key}.json"


def _kept(path: Path, bench: Bench, method: Method, name: str) -> None:
    if path.exists():
        return
    found = judge(bench, method, name)
    write_json(path, found)
    errors = [1000 * float(np.mean(found[key])) for key in ("errors", "control")]
    print(f"{path.parent.parent.name} seed {bench.seed} {path.stem}: ", end="", flush=True)
    print(f"{errors[0]:.0f} meV/Å, control {errors[1]:.0f}", flush=True)


def write(folder: Path) -> None:
    """Write both files, of what is there."""
    tasks = {name: load_task(name) for name in ("embedded", "md17")}
    kept = HERE / "results.json"
    before = _read(kept) if kept.exists() else {"methods": {}, "labels": {}}
    content: dict[str, Any] = {
        "methods": before["methods"],
        "labels": before["labels"],
    }
    parts = []
    for name, task in tasks.items():
        results = {method: _seeds(folder, name, method) for method in METHODS}
        results = {method: found for method, found in results.items() if found}
        found = content["methods"].get(name, {})
        if "supervised" in results:
            found = content["methods"][name] = added(found, summary(task, results))
        if found:
            parts += [f"### {task.title}\n", table(task, found, METHODS), costs(found)]
    for name, counts in _read_labels(folder).items():
        for count, ways in counts.items():
            content["labels"].setdefault(name, {}).setdefault(count, {}).update(ways)
    parts += [
        "### Its worth in labels\n",
        "Supervised, fine-tuned with replay / without it: change of the error (and of that on the "
        "control).\n",
        labels_table(content),
    ]
    command = "python benchmarks/training/run.py"
    write_study(kept.with_suffix(""), command, content, "\n".join(parts))


def costs(found: dict[str, Any]) -> str:
    """Wall time, and in-distribution error before and after, of what adapts."""
    lines = [
        "| | set | median (quartiles), meV/Å | in distribution, before → after, meV/Å | "
        "wall time, s | acted |",
        "|---|---|---|---|---|---|",
    ]
    for method in ("ttt_prior", "ttt", "freeze_ttt"):
        start = "freeze" if method.startswith("freeze") else "joint"
        for name, entry in found.get(method, {}).items():
            if name == CONTROL or start not in found:
                continue
            before = found[start][name]["control_meV_per_A"]["mean"]
            after = entry["control_meV_per_A"]["mean"]
            low, high = entry["quartiles_meV_per_A"]
            median = entry["median_meV_per_A"]["mean"]
            lines.append(
                f"| {METHODS[method]} | {name.replace('_', ' ')} | "
                f"{median:.0f} ({low:.0f} to {high:.0f}) | {before:.0f} → {after:.0f} "
                f"({100 * (after / before - 1):+.0f} %) | {entry['seconds']['mean']:.0f} | "
                f"{entry['acted']} of {len(entry['seeds'])} |"
            )
    return "\n".join(lines) + "\n"


def labels_table(content: dict[str, Any]) -> str:
    """Change against supervised by so many labels, and by test-time training without one.

    With replay / without it; in brackets the change of the error on the control.
    """
    counts = sorted({int(k) for found in content["labels"].values() for k in found})
    heads = [f"{count} labelled" for count in counts]
    heads += [f"{MULTIHEAD} labelled, mace-torch's multihead", "test-time training, none"]
    lines = ["| | " + " | ".join(heads) + " |", "|---" * (len(heads) + 1) + "|"]
    refined = {
        name: entry["against_supervised_percent"]["mean"]
        for found in content["methods"].values()
        for name, entry in found.get("ttt", {}).items()
    }
    for name, found in content["labels"].items():
        cells = [
            " / ".join(
                f"{each['mean']:+.0f} % ({each['control']:+.0f} %)"
                for way in ways
                if (each := found.get(str(count), {}).get(way))
            )
            for count, ways in [*((count, WAYS[:2]) for count in counts), (MULTIHEAD, WAYS[2:])]
        ]
        own = f"{refined[name]:+.0f} %" if name in refined else ""
        seeds = {each["seeds"] for kind in found.values() for each in kind.values()}
        count = f"{min(seeds)}" if len(seeds) == 1 else f"{min(seeds)} to {max(seeds)}"
        label = f"{name.replace('_', ' ')} (seeds: {count})"
        lines.append(f"| {label} | " + " | ".join([*cells, own]) + " |")
    return "\n".join(lines) + "\n"


def _seeds(folder: Path, task: str, method: str) -> dict[int, Entry]:
    found = {}
    for path in sorted((folder / "results" / task).glob(f"seed-*/{method}.json")):
        found[int(path.parent.name.removeprefix("seed-"))] = _read(path)
    return found


def _read_labels(folder: Path) -> dict[str, Any]:
    content: dict[str, Any] = {}
    for task in ("embedded", "md17"):
        base = _seeds(folder, task, "supervised")
        for name, count, way in product(load_task(task).unseen_molecules, COUNTS, WAYS):
            paths = {
                seed: folder / "labels" / task / f"seed-{seed}" / f"{name}_{count}_{way}.json"
                for seed in base
            }
            found = {seed: _read(path) for seed, path in paths.items() if path.exists()}
            if not found:
                continue
            changes = [_change(e["errors"], base[s][name]["force_mae"]) for s, e in found.items()]
            controls = [
                _change(e["control"], base[s][name]["control_force_mae"]) for s, e in found.items()
            ]
            content.setdefault(name, {}).setdefault(str(count), {})[way] = {
                "mean": float(np.mean(changes)),
                "low": min(changes),
                "high": max(changes),
                "control": float(np.mean(controls)),
                "seeds": len(changes),
            }
    return content


def _read(path: Path) -> Entry:
    content: Entry = json.loads(path.read_text(encoding="utf-8"))
    return content


def _change(after: Sequence[float], before: Sequence[float]) -> float:
    return 100 * (float(np.mean(after)) / float(np.mean(before)) - 1)


if __name__ == "__main__":
    main()
