"""What matters in test-time training: one thing changed at a time, as ``variants.yaml`` has it.

Usage: ``python benchmarks/training/variants.py [--seeds 0 1 2] [--tasks embedded md17]
[--folder build/training]``. What lies in the folder, models and results alike, is not computed
again, and neither is what ``variants.json`` beside this script tells of a seed: a run adds to it.
The task ``md17`` needs FARFIELD_DATA. Writes ``variants.json`` and ``variants.md``.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from ase import Atoms

from farfield.benchmarks.bench import Bench, Contestant
from farfield.benchmarks.contestants.method import Method
from farfield.benchmarks.contestants.registry import CONTESTANTS
from farfield.benchmarks.provenance import hardware, versions
from farfield.benchmarks.scripts import open_zoos
from farfield.benchmarks.study import judge
from farfield.files import write_json, write_text
from farfield.refinement import TestTimeSettings, TestTimeTraining

HERE = Path(__file__).parent
RESULTS = HERE / "variants.json"
Variants = dict[str, dict[str, dict[str, dict[str, Any]]]]  # by group, title, set and seed


def main() -> None:
    """Run what is missing, and write the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--tasks", nargs="+", default=["embedded", "md17"])
    parser.add_argument("--folder", type=Path, default=Path("build/training"))
    arguments = parser.parse_args()
    declared = yaml.safe_load((HERE / "variants.yaml").read_text(encoding="utf-8"))
    for zoo in open_zoos(arguments.tasks, arguments.folder):
        for seed in arguments.seeds:
            bench = Bench(zoo, seed, arguments.folder / "cache")
            for name in declared["sets"].get(zoo.task.name, []):
                _run(bench, name, declared)


def _run(bench: Bench, name: str, declared: Mapping[str, Any]) -> None:
    """All variants on one set, each written down as soon as it is known."""
    start: dict[str, dict[str, Any]] = {}  # the supervised and the joint model, untouched
    seed = str(bench.seed)
    for group, choices in declared["variants"].items():
        for title, changes in choices.items():
            if seed in _known().get(group, {}).get(title, {}).get(name, {}):
                continue
            start = start or {
                model: judge(bench, CONTESTANTS[model], name) for model in ("supervised", "joint")
            }
            method = Method(partial(_changed, declared["base"] | changes), title)
            found = judge(bench, method, name)
            entry = {
                "mae_meV_per_A": 1000 * float(np.mean(found["errors"])),
                "against_supervised_percent": _change(found, start["supervised"], "errors"),
                "control_change_percent": _change(found, start["joint"], "control"),
                "seconds": found["seconds"],
                "acted": bool(found["record"]["acted"]),
            }
            change = entry["against_supervised_percent"]
            print(f"{name} seed {seed} {group}, {title}: {change:+.0f} %", flush=True)
            _add(declared, (group, title, name, seed), entry)


def _changed(changes: Mapping[str, Any], bench: Bench, structures: Sequence[Atoms]) -> Contestant:
    """Test-time training with something changed."""
    settings = dict(changes)
    start = bench.model(settings.pop("model", "joint"))
    replay = bench.zoo.training if settings.pop("replay", True) else ()
    chosen = structures[: settings.pop("count", None)]
    if "objectives" in settings:
        settings["objectives"] = tuple(settings["objectives"])
    method = TestTimeTraining(
        bench.zoo.prior, replay, settings=TestTimeSettings(seed=bench.seed, **settings)
    )
    refined = method.refine(start, chosen)
    return Contestant(refined.potential.predict, refined.record)


def _known() -> Variants:
    if not RESULTS.exists():
        return {}
    found: Variants = json.loads(RESULTS.read_text(encoding="utf-8"))["variants"]
    return found


def _add(declared: Mapping[str, Any], keys: tuple[str, str, str, str], entry: Any) -> None:
    """Write both files with one more result; the order is that of ``variants.yaml``."""
    group, title, name, seed = keys
    known = _known()
    sets = known.setdefault(group, {}).setdefault(title, {})
    sets[name] = dict(sorted({**sets.get(name, {}), seed: entry}.items()))
    ordered: Variants = {
        group: {title: known[group][title] for title in choices if title in known[group]}
        for group, choices in declared["variants"].items()
        if group in known
    }
    content = {
        "command": "python benchmarks/training/variants.py",
        "versions": versions(),
        "hardware": hardware(),
        "variants": ordered,
    }
    write_json(RESULTS, content)
    names = [name for sets in declared["sets"].values() for name in sets]
    write_text(HERE / "variants.md", variants_table(ordered, names))


def variants_table(content: Variants, names: Sequence[str]) -> str:
    """Change of the error against supervised, and of the control against the untouched model.

    Means over the seeds, and in brackets the range of the first.
    """
    heads = [f"{name.replace('_', ' ')} | its control" for name in names]
    lines = ["| | changed | " + " | ".join(heads) + " |", "|---" * (2 + 2 * len(names)) + "|"]
    for group, choices in content.items():
        for title, sets in choices.items():
            cells = [_cells(list(sets.get(name, {}).values())) for name in names]
            lines.append(f"| {group} | {title} | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def _cells(entries: Sequence[Mapping[str, Any]]) -> str:
    if not entries:
        return " | "
    changes = [entry["against_supervised_percent"] for entry in entries]
    text = f"{np.mean(changes):+.0f} %"
    text += f" ({min(changes):+.0f} to {max(changes):+.0f})" if len(changes) > 1 else " (one seed)"
    if alone := sum(not entry["acted"] for entry in entries):
        text += f", left alone {alone} of {len(entries)}"
    control = np.mean([entry["control_change_percent"] for entry in entries])
    return f"{text} | {control:+.0f} %"


def _change(after: Mapping[str, Any], before: Mapping[str, Any], key: str) -> float:
    return 100 * (float(np.mean(after[key])) / float(np.mean(before[key])) - 1)


if __name__ == "__main__":
    main()
