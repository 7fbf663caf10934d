"""The results of a study as figures over its seeds, and as Markdown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from farfield.benchmarks.tasks.task import CONTROL, Task

Results = Mapping[str, Mapping[int, dict[str, Any]]]  # by contestant and seed
BASELINE = "supervised"


def summary(task: Task, results: Results) -> dict[str, Any]:
    """Mean and range over the seeds, force MAE in meV/Å, changes in per cent.

    By contestant and set: ``mae`` and ``median`` over the judged structures, ``control``, the
    mean on the control after the method was made for this set, ``against_supervised``,
    ``seconds`` to make it, and in how many of the seeds it ``acted``.
    """
    found: dict[str, Any] = {}
    for name, seeds in results.items():
        found[name] = {}
        for title in (CONTROL, *task.shifted):
            each = [entry[title] for entry in seeds.values()]
            base = [results[BASELINE][seed][title] for seed in seeds]
            mae = _means(each, "force_mae")
            pairs = zip(mae, _means(base, "force_mae"), strict=True)
            found[name][title] = {
                "mae_meV_per_A": _range(mae),
                "median_meV_per_A": _range([1000 * float(np.median(e["force_mae"])) for e in each]),
                "quartiles_meV_per_A": [
                    1000 * float(np.mean([np.quantile(e["force_mae"], q) for e in each]))
                    for q in (0.25, 0.75)
                ],
                "control_meV_per_A": _range(_means(each, "control_force_mae")),
                "against_supervised_percent": _range([100 * (a / b - 1) for a, b in pairs]),
                "seconds": _range([e["seconds"] for e in each]),
                "acted": sum(bool(e["record"] and e["record"]["acted"]) for e in each),
                "seeds": list(seeds),
            }
    return found


def added(before: Mapping[str, Any], fresh: Mapping[str, Any]) -> dict[str, Any]:
    """Rows of an earlier :func:`summary`; fresh ones of no fewer seeds replace them."""
    return {**before, **{n: r for n, r in fresh.items() if _seeds(r) >= _seeds(before.get(n, {}))}}


def _seeds(row: Mapping[str, Any]) -> int:
    """Of how many a row is the mean."""
    return max((len(entry["seeds"]) for entry in row.values()), default=0)


def table(task: Task, content: Mapping[str, Any], titles: Mapping[str, str]) -> str:
    """Force MAE in meV/Å, a row per contestant: mean over the seeds, with the range.

    The last two columns are means over the sets of unseen molecules: the change against the
    supervised baseline, and the error on the control after adapting to such a set.
    """
    heads = ["", *(name.replace("_", " ") for name in (CONTROL, *task.shifted))]
    heads += ["unseen molecules, against supervised", "control after adapting to them"]
    lines = ["| " + " | ".join(heads) + " |", "|---" * len(heads) + "|"]
    most = max(len(each[task.unseen_molecules[0]]["seeds"]) for each in content.values())
    for name, title in titles.items():
        if name not in content:
            continue
        sets = content[name]
        cells = [_cell(sets[place]["mae_meV_per_A"]) for place in (CONTROL, *task.shifted)]
        unseen = [sets[place] for place in task.unseen_molecules]
        count = len(unseen[0]["seeds"])
        change = np.mean([s["against_supervised_percent"]["mean"] for s in unseen])
        control = np.mean([s["control_meV_per_A"]["mean"] for s in unseen])
        cells += [f"{change:+.0f} %", f"{control:.0f}"]
        label = title
        if count == 1 or count < most:
            label += " (one seed)" if count == 1 else f" ({count} seeds)"
        lines.append("| " + " | ".join([label, *cells]) + " |")
    return "\n".join(lines) + "\n"


def _means(entries: Sequence[Mapping[str, Any]], key: str) -> list[float]:
    return [1000 * float(np.mean(entry[key])) for entry in entries]


def _range(values: Sequence[float]) -> dict[str, float]:
    return {"mean": float(np.mean(values)), "low": float(min(values)), "high": float(max(values))}


def _cell(value: Mapping[str, float]) -> str:
    mean, low, high = (f"{value[key]:.0f}" for key in ("mean", "low", "high"))
    return mean if low == high else f"{mean} ({low} to {high})"
