"""The main job on the embedded example, over several seeds, as one small table.

The seed decides which half of a set is adapted on, the held-out structures and the batches of
test-time training; the two trained models are the committed ones.

Usage: ``python benchmarks/embedded/run.py [--seeds 0 1 2] [--folder build/embedded]``. Seeds
whose results lie in the folder are not run again. Writes ``results.json`` and ``results.md``
beside this script.
"""

from __future__ import annotations

import argparse
import json
import os
from pathlib import Path
from typing import Any

import numpy as np

from farfield.files import write_json, write_text
from farfield.verbs.demo import SETS, demo

HERE = Path(__file__).parent
METHODS = {
    "supervised": "supervised only",
    "prior": "GFN2-xTB alone",
    "joint": "two heads, untouched",
    "radius": "radius refinement",
    "ttt": "test-time training",
}


def run(seeds: list[int], folder: Path) -> list[dict[str, Any]]:
    """The results of every seed, computed or read."""
    found = []
    for seed in seeds:
        path = folder / f"seed-{seed}" / "results.json"
        if not path.exists():
            demo(path.parent, seed=seed, say=print)
        found.append(json.loads(path.read_text(encoding="utf-8")))
    return found


def summary(results: list[dict[str, Any]]) -> dict[str, Any]:
    """Mean and range over the seeds: force MAE in meV/Å, changes in per cent, AUROC."""
    sets = {}
    for name in SETS:
        errors = [result["errors"][name] for result in results]
        mae = {
            method: [1000 * error[method]["force_mae"]["value"] for error in errors]
            for method in (*METHODS, "control_before", "control_after")
        }
        median = {
            method: [1000 * error[method]["force_mae_median"] for error in errors]
            for method in METHODS
        }
        axis = results[0]["shifted_axis"].get(name)
        sets[name] = {
            "force_mae_meV_per_A": {method: _range(mae[method]) for method in METHODS},
            "force_mae_median_meV_per_A": {method: _range(median[method]) for method in METHODS},
            "ttt_change_percent": _range(_change(mae["joint"], mae["ttt"])),
            "ttt_control_change_percent": _range(
                _change(mae["control_before"], mae["control_after"])
            ),
            "ttt_acted": sum(result["records"][name]["ttt"]["acted"] for result in results),
            "axis": axis,
            "auroc": None if axis is None else results[0]["auroc"][axis][name],
        }
    return {
        "command": "python benchmarks/embedded/run.py",
        "seeds": [result["seed"] for result in results],
        "versions": results[0]["versions"],
        "processors": os.cpu_count(),
        "seconds": [result["seconds"] for result in results],
        "sets": sets,
    }


def table(content: dict[str, Any]) -> str:
    """The summary as Markdown."""
    heads = ["set", *METHODS.values(), "change by TTT", "control, after TTT"]
    lines = ["| " + " | ".join(heads) + " |", "|---" * len(heads) + "|"]
    for name, found in content["sets"].items():
        cells = [name.replace("_", " ")]
        cells += [_cell(found["force_mae_meV_per_A"][method]) for method in METHODS]
        if found["ttt_acted"]:
            cells += [_cell(found["ttt_change_percent"], " %", sign=True)]
            cells += [_cell(found["ttt_control_change_percent"], " %", sign=True)]
        else:
            cells += ["left alone", "left alone"]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def auroc_table(content: dict[str, Any]) -> str:
    """Whether each shifted set is told from the control along its axis."""
    lines = ["| shifted set | axis | AUROC against the control [95 %] |", "|---|---|---|"]
    for name, found in content["sets"].items():
        if found["axis"] is not None:
            value, low, high = (found["auroc"][key] for key in ("value", "low", "high"))
            axis = found["axis"].replace("_", " ")
            interval = f"{value:.3f} [{low:.3f}, {high:.3f}]"
            lines.append(f"| {name.replace('_', ' ')} | {axis} | {interval} |")
    return "\n".join(lines) + "\n"


def _change(before: list[float], after: list[float]) -> list[float]:
    return [100 * (b / a - 1) for a, b in zip(before, after, strict=True)]


def _range(values: list[float]) -> dict[str, float]:
    return {
        "mean": float(np.mean(values)),
        "low": float(np.min(values)),
        "high": float(np.max(values)),
    }


def _cell(value: dict[str, float], unit: str = "", *, sign: bool = False) -> str:
    form = "+.0f" if sign else ".0f"
    mean, low, high = (format(value[key], form) for key in ("mean", "low", "high"))
    return f"{mean}{unit}" if low == high else f"{mean}{unit} ({low} to {high})"


def main() -> None:
    """Run, and write both files."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--folder", type=Path, default=Path("build/embedded"))
    arguments = parser.parse_args()
    content = summary(run(arguments.seeds, arguments.folder))
    write_json(HERE / "results.json", content)
    write_text(HERE / "results.md", f"{table(content)}\n{auroc_table(content)}")
    print(table(content), auroc_table(content), sep="\n")


if __name__ == "__main__":
    main()
