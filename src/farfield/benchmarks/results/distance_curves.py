"""Error against distance from training: structures of all sets together, in bins."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from farfield.benchmarks.cells import DONE
from farfield.benchmarks.results.statistics import mean_error
from farfield.reports.contents import Interval
from farfield.reports.contents.board import DistanceCurve

BINS = 6
LEAST = 4  # structures in a bin
MILLI = 1000.0
REFINED = ("correction", "cautious_correction", "ttt", "distil", "cautious_distil", "retrofit")
Items = Sequence[Mapping[str, Any]]
Key = tuple[str, int]  # set and place of a structure


def distance_curves(
    entries: Items, distances: Items, contestants: Mapping[str, Mapping[str, Any]]
) -> list[DistanceCurve]:
    """The supervised model of each family, and the first refinement of a list that all may have.

    The distance of a structure is its largest score, over the axes of the diagnosis, in
    multiples of the axis's 95 % line of held-out training structures; mean over the seeds.
    """
    shown = next((name for name in REFINED if name in contestants), None)
    curves = []
    for family in dict.fromkeys(one["family"] for one in distances):
        far = _distances([one for one in distances if one["family"] == family])
        for name in ("supervised", shown):
            if name is None or name not in contestants:
                continue
            errors = _errors(entries, family, name)
            pairs = np.array([(far[key], errors[key]) for key in errors if key in far])
            if len(pairs) >= LEAST:
                title = contestants[name]["title"]
                curves.append(_curve(family, title, name != "supervised", pairs))
    return curves


def _curve(family: str, method: str, refined: bool, pairs: np.ndarray) -> DistanceCurve:
    """From distances and errors (n, 2) to bins."""
    count = max(1, min(BINS, len(pairs) // LEAST))
    parts = np.array_split(pairs[np.argsort(pairs[:, 0], kind="stable")], count)
    errors = []
    for part in parts:
        found = mean_error([{place: [MILLI * error] for place, error in enumerate(part[:, 1])}])
        errors.append(Interval(found.value, found.low, found.high))
    return DistanceCurve(
        family, method, refined, [float(part[:, 0].mean()) for part in parts], errors
    )


def _distances(found: Items) -> dict[Key, float]:
    each: dict[Key, list[float]] = {}
    for one in found:
        if one["status"] != DONE:
            continue
        lines = {axis: line for axis, line in one["lines"].items() if line and line > 0.0}
        for title, told in one["sets"].items():
            for place in range(len(told["quantile"])):
                ratios = [
                    told["scores"][axis][place] / line
                    for axis, line in lines.items()
                    if told["scores"][axis][place] is not None
                ]
                if ratios:
                    each.setdefault((title, place), []).append(max(ratios))
    return {key: float(np.mean(values)) for key, values in each.items()}


def _errors(entries: Items, family: str, contestant: str) -> dict[Key, float]:
    each: dict[Key, list[float]] = {}
    for entry in entries:
        if (entry["family"], entry["contestant"], entry["status"]) == (family, contestant, DONE):
            for place, error in zip(entry["places"], entry["errors"], strict=True):
                each.setdefault((entry["set"], place), []).append(error)
    return {key: float(np.mean(values)) for key, values in each.items()}
