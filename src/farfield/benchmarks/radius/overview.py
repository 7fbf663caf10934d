"""The study of radius refinement in one table: every set of the molecular tasks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

MODE = "taper"
BY_COMPOSITION = "gated, one radius per composition"
COLUMNS = {"corrected": "corrected", "paper": "paper", "nearest": "nearest density"}
COLUMNS |= {"coordination": "coordination", "weighted-coordination": "weighted coordination"}


def overview(tasks: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Markdown lines: by task and set, for each kind of model the mean over its seeds.

    Parameters
    ----------
    tasks
        Results of :func:`farfield.benchmarks.radius.study.judge_set`, by task, model and set.
    """
    kinds = list(dict.fromkeys(_kind(name) for models in tasks.values() for name in models))
    heads = [f"set, {' / '.join(kinds)}", "oracle", *COLUMNS.values()]
    heads += ["share of the oracle's gain", "gated, per composition"]
    lines = ["| " + " | ".join(heads) + " |", "|---" * len(heads) + "|"]
    for task, models in tasks.items():
        for title in next(iter(models.values())):
            seeds = [[s[title] for n, s in models.items() if _kind(n) == kind] for kind in kinds]
            cells = [f"{task}: {title.replace('_', ' ')}"]
            cells += [_pair([_mean(each, name) for each in seeds]) for name in ("oracle", *COLUMNS)]
            cells += [" / ".join(_share(each) for each in seeds)]
            cells += [_pair([_gated(each) for each in seeds])]
            lines.append("| " + " | ".join(cells) + " |")
    return [*lines, ""]


def _kind(name: str) -> str:
    return name.split("-seed")[0]


def _mean(entries: Sequence[Mapping[str, Any]], name: str) -> float:
    found = [one[MODE][name]["structure"]["change_percent"]["value"] for one in entries]
    return float(np.mean(found))


def _gated(entries: Sequence[Mapping[str, Any]]) -> float:
    found = [one["gated"][BY_COMPOSITION]["change_percent"]["value"] for one in entries]
    return float(np.mean(found))


def _share(entries: Sequence[Mapping[str, Any]]) -> str:
    """Of the seeds in which there is a gain to share."""
    found = [one[MODE]["corrected"]["structure"]["share_of_oracle"] for one in entries]
    known = [share["value"] for share in found if share]
    if not known:
        return "-"
    few = f" ({len(known)} of {len(found)} seeds)" if len(known) < len(found) else ""
    return f"{np.mean(known):.2f}{few}"


def _pair(values: Sequence[float]) -> str:
    return " / ".join(f"{value:+.1f}" if abs(value) < 10 else f"{value:+.0f}" for value in values)
