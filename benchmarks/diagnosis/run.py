"""Which label-free score tells large force errors: every axis, and a committee of four.

For each task and seed the jointly trained model is diagnosed on the task's sets; labels judge
the scores afterwards. The committee is four joint models that differ by their seed, the judged
one among them; with ``--alone`` there is none. The profile sees the training set, two thirds of
the control with labels, and what joint trainings without a group of compositions held back; no
label of a judged structure.

Usage: ``python benchmarks/diagnosis/run.py [--tasks embedded md17 TASK.yaml] [--seeds 0 1 2]
[--alone] [--folder build/diagnosis]``. Models and scores that lie in the folder are not made
again; results of tasks that are not named stay. Of the further tasks only the model of the first
seed is judged. Tasks other than ``embedded`` need FARFIELD_DATA. Writes ``results.json`` and
``results.md`` beside this script.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
from collections.abc import Callable, Sequence
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from farfield.benchmarks.detection import Detection, detect
from farfield.benchmarks.results.metrics import calibration_error, coverage, spearman
from farfield.benchmarks.tasks.task import load_task
from farfield.benchmarks.uncertainty import compare_scores
from farfield.benchmarks.zoo import Zoo
from farfield.files import write_json, write_text
from farfield.priors import LabelCache
from farfield.processes import set_up_process
from farfield.shifts import DETECTORS

HERE = Path(__file__).parent
TASKS = ("embedded", "md17", str(HERE / "silicon.yaml"))
FURTHER = tuple(
    str(HERE / f"{name}.yaml")
    for name in ("lithium", "germanium", "formic-acid", "ethanol", "acetylacetone", "3bpa")
)
MAIN = ("embedded", "md17", "silicon")
MEMBERS = (0, 1, 2, 3)
SHOWN = ("prior_residual", "committee", "representation", "combined quantile", "connectivity")
SHOWN_FURTHER = ("prior_residual", "committee", "representation", "force_norm", "connectivity")
Floats = npt.NDArray[np.float64]


def main() -> None:
    """Run what is missing, and write the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tasks", nargs="+", default=[*TASKS, *FURTHER])
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--alone", action="store_true", help="do not train a committee")
    parser.add_argument("--folder", type=Path, default=Path("build/diagnosis"))
    arguments = parser.parse_args()
    set_up_process()
    folder: Path = arguments.folder
    path = HERE / "results.json"
    known = json.loads(path.read_text(encoding="utf-8"))["results"] if path.exists() else {}
    found: dict[str, Any] = {}
    with LabelCache(folder / "cache") as cache:
        for spec in arguments.tasks:
            zoo = Zoo(load_task(spec), folder / "models", cache)
            seeds = arguments.seeds if zoo.task.name in MAIN else arguments.seeds[:1]
            members = () if arguments.alone else MEMBERS
            judged = [detected(zoo, seed, folder, members) for seed in seeds]
            found[zoo.task.name] = {
                "task": zoo.task.model_dump(mode="json"),
                "committee": members,
                "scores": qualities(judged),
                "estimate": estimates(judged),
            }
    every = {**known, **found}
    order = [load_task(spec).name for spec in (*TASKS, *FURTHER)]
    results = {name: every[name] for name in [*order, *every] if name in every}
    content = {
        "command": "python benchmarks/diagnosis/run.py",
        "seeds": arguments.seeds,
        "committee": MEMBERS,
        "versions": {name: version(name) for name in ("farfield", "torch", "mace-torch")}
        | {"python": platform.python_version()},
        "processors": os.cpu_count(),
        "results": results,
    }
    write_json(path, content)
    text = page(results)
    write_text(HERE / "results.md", text)
    print(text)


def page(results: dict[str, Any]) -> str:
    """All tables; the first two stand in the README too."""
    mains = [found for name, found in results.items() if name in MAIN]
    further = [found for name, found in results.items() if name not in MAIN]
    parts = [summary(mains), estimates_in_short(mains)]
    if further:
        parts.append(further_summary(further))
    for name, found in results.items():
        parts.append(f"### {found['task']['title']} (`{name}`)\n")
        parts += [score_table(found["scores"]), estimate_table(found["estimate"])]
    return "\n".join(parts)


def summary(found: Sequence[dict[str, Any]]) -> str:
    """Rank correlation with the error over all sets, and inside a set, of a few scores."""
    heads = [f"{each['task']['name']}, {where}" for each in found for where in ("all", "inside")]
    lines = ["| score | " + " | ".join(heads) + " |", "|---" * (len(heads) + 1) + "|"]
    for name in SHOWN:
        cells = []
        for each in found:
            rows = each["scores"].get(name, [])
            values = [[row["spearman"]["value"] for row in rows], [row["within"] for row in rows]]
            cells += [spread(value) if value else "" for value in values]
        title = DETECTORS[name].title if name in DETECTORS else name
        title += " of four" if name == "committee" else ""
        lines.append(f"| {title.lower()} | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def further_summary(found: Sequence[dict[str, Any]]) -> str:
    """The same rank correlations for the further tasks, one row each."""
    titles = [
        (DETECTORS[name].title if name in DETECTORS else name).lower() for name in SHOWN_FURTHER
    ]
    heads = " | ".join(titles)
    lines = [
        "Further sets, one small model each (those without a committee by `--alone`): Spearman "
        "over all sets / inside a set (mean).",
        "",
        f"| task | prior | {heads} | best of all, over all sets |",
        "|---" * (len(titles) + 3) + "|",
    ]
    for each in found:
        cells = []
        for name in SHOWN_FURTHER:
            rows = each["scores"].get(name, [])
            cells.append(
                f"{rows[0]['spearman']['value']:.2f} / {rows[0]['within']:.2f}" if rows else ""
            )
        best = max(each["scores"], key=lambda name: each["scores"][name][0]["spearman"]["value"])
        title = DETECTORS[best].title.lower() if best in DETECTORS else best
        task = each["task"]
        lines.append(f"| {task['name']} | {task['prior']} | " + " | ".join(cells) + f" | {title} |")
    return "\n".join(lines) + "\n"


def estimates_in_short(found: Sequence[dict[str, Any]]) -> str:
    """True and expected error of every set, where there is an estimate."""
    lines = [
        "| task | set | true error, eV/Å | expected, eV/Å | below the 90 % bound |",
        "|---|---|---|---|---|",
    ]
    for each in found:
        for name, rows in each["estimate"].items():
            if not all("covered" in row for row in rows):
                continue
            cells = [
                each["task"]["name"],
                name.replace("_", " "),
                spread([row["true_eV_per_A"] for row in rows]),
                spread([row["expected_eV_per_A"] for row in rows]),
                percent([row["covered"] for row in rows]),
            ]
            lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def detected(zoo: Zoo, seed: int, folder: Path, members: Sequence[int]) -> Detection:
    """Scores and errors of one model, computed or read."""
    name = f"seed-{seed}.json" if members else f"seed-{seed}-alone.json"
    path = folder / "scores" / zoo.task.name / name
    if not path.exists():
        write_json(path, detect(zoo, seed, members).to_plain())
        print(f"{zoo.task.name} seed {seed}: scored", flush=True)
    return Detection.from_plain(json.loads(path.read_text(encoding="utf-8")))


def qualities(found: Sequence[Detection]) -> dict[str, list[dict[str, Any]]]:
    """By score, for each seed: AUROC, rank correlation and excess risk with intervals.

    ``within`` is the mean over the sets of the rank correlation inside each of them. A score
    that is the same for all structures has the rank correlation 0.
    """
    table: dict[str, list[dict[str, Any]]] = {}
    for detection in found:
        for quality in compare_scores(detection.errors, detection.scores):
            row: dict[str, Any] = {"within": within(detection, quality.score)}
            for name in ("auroc", "spearman", "excess_risk"):
                interval = asdict(getattr(quality, name))
                row[name] = {key: float(np.nan_to_num(value)) for key, value in interval.items()}
            row["n_structures"] = quality.n_structures
            table.setdefault(quality.score, []).append(row)
    return table


def within(detection: Detection, score: str) -> float:
    """Mean over the sets of the rank correlation inside; sets with equal scores count as 0."""
    sets, scores, errors = np.array(detection.sets), detection.scores[score], detection.errors
    masks = [sets == name for name in dict.fromkeys(detection.sets)]
    values = [float(spearman(scores[inside], errors[inside])) for inside in masks]
    return float(np.mean(np.nan_to_num(values)))


def estimates(found: Sequence[Detection]) -> dict[str, list[dict[str, Any]]]:
    """By set, for each seed: true and expected error, and how often the bound held."""
    table: dict[str, list[dict[str, Any]]] = {}
    for detection in found:
        sets = np.array(detection.sets)
        for name in dict.fromkeys(detection.sets):
            chosen = (sets == name) & np.isfinite(detection.expected)
            true, expected = detection.errors[chosen], detection.expected[chosen]
            row: dict[str, Any] = {"n": int((sets == name).sum()), "estimated": len(true)}
            if len(true):
                row |= {
                    "true_eV_per_A": float(true.mean()),
                    "expected_eV_per_A": float(expected.mean()),
                    "relative": float(np.median(np.abs(expected / true - 1.0))),
                    "calibration_error_eV_per_A": float(calibration_error(expected, true, bins=5)),
                    "covered": float(coverage(true, detection.upper[chosen])),
                }
            table.setdefault(name, []).append(row)
    return table


def score_table(scores: dict[str, list[dict[str, Any]]]) -> str:
    """Mean over the seeds (lowest to highest), the best rank correlation first."""

    def mean(name: str) -> float:
        return float(np.mean([row["spearman"]["value"] for row in scores[name]]))

    lines = [
        "| score | AUROC, worst tenth of errors | Spearman, all sets | Spearman, inside a set "
        "(mean) | excess risk (0 best, 1 chance) |",
        "|---|---|---|---|---|",
    ]
    for name in sorted(scores, key=mean, reverse=True):
        title = DETECTORS[name].title if name in DETECTORS else name
        of: list[Callable[[dict[str, Any]], float]] = [
            lambda row: row["auroc"]["value"],
            lambda row: row["spearman"]["value"],
            lambda row: row["within"],
            lambda row: row["excess_risk"]["value"],
        ]
        cells = [spread([take(row) for row in scores[name]]) for take in of]
        lines.append(f"| {title} | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def estimate_table(table: dict[str, list[dict[str, Any]]]) -> str:
    """True against expected error by set, mean over the seeds (lowest to highest)."""
    lines = [
        "| set | n | true error, eV/Å | expected, eV/Å | median relative miss | below the 90 % "
        "bound |",
        "|---|---|---|---|---|---|",
    ]
    for name, rows in table.items():
        if not all("covered" in row for row in rows):
            lines.append(f"| {name.replace('_', ' ')} | {rows[0]['n']} | | no estimate | | |")
            continue
        cells = [
            str(rows[0]["n"]),
            spread([row["true_eV_per_A"] for row in rows], 3),
            spread([row["expected_eV_per_A"] for row in rows], 3),
            percent([row["relative"] for row in rows]),
            percent([row["covered"] for row in rows]),
        ]
        lines.append(f"| {name.replace('_', ' ')} | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def spread(values: Sequence[float], digits: int = 2) -> str:
    """Mean, and the range over the seeds."""
    low, high = (f"{limit:.{digits}f}" for limit in (min(values), max(values)))
    return f"{np.mean(values):.{digits}f} ({low} to {high})"


def percent(values: Sequence[float]) -> str:
    """The same in per cent."""
    low, high = (f"{100 * limit:.0f}" for limit in (min(values), max(values)))
    return f"{100 * np.mean(values):.0f} % ({low} to {high})"


if __name__ == "__main__":
    main()
