"""From the results of benchmarks to what the leaderboard shows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from farfield.benchmarks.cells import DONE
from farfield.benchmarks.results.distance_curves import distance_curves
from farfield.benchmarks.results.headline import headline
from farfield.benchmarks.results.metrics import Estimate
from farfield.benchmarks.results.statistics import (
    Each,
    by_structure,
    change,
    control_after,
    mean_error,
    median_error,
)
from farfield.benchmarks.tasks.task import CONTROL
from farfield.reports.contents import Interval
from farfield.reports.contents.board import Leaderboard, ModelFacts, Standing, TaskBoard

BASELINE = "supervised"
WITHOUT_MODEL = frozenset({"prior_alone"})
MILLI = 1000.0
METRICS = {
    "force_mae": "mean absolute error of the force components of each structure",
    "energy_mae": "absolute error of the energy per atom of each structure, up to one constant "
    "per composition and set",
}
NOTES = [
    "Error: mean over the structures of a set, of which one half was open to adaptation without "
    "labels and the other is judged. “Shifted” is the mean over the shifted sets.",
    "Intervals are 95 %, by resampling structures, after averaging over seeds; what another "
    "training seed would give is beside it as the range over the seeds.",
    "Changes are against the supervised model of the same family on the same structures, "
    "resampled in pairs.",
    "The median is over structures and seeds, then the mean over the shifted sets. Where it is far "
    "below the mean, the method fails on a few structures.",
    "“Direct forces”: of no energy, so not to be integrated in dynamics.",
    "“Prior at inference”: the prior is computed at every prediction, which costs its time.",
]
Entries = Sequence[Mapping[str, Any]]


def leaderboard(content: Mapping[str, Any], sources: Sequence[Mapping[str, Any]]) -> Leaderboard:
    """Fill a leaderboard with (merged) results; ``sources`` are the files that they are of."""
    tasks = [_task(content, name) for name in content["tasks"]]
    families = dict.fromkeys(model["family"] for model in content["models"])
    return Leaderboard(
        title="How models generalise, and what helps",
        subtitle=" · ".join(dict.fromkeys(source["title"] for source in sources)),
        headline=headline(tasks),
        facts={
            "Families of models": ", ".join(families),
            "Tasks": ", ".join(content["tasks"]),
            "Seeds": ", ".join(map(str, content["seeds"])),
            "Mode": ", ".join(dict.fromkeys(source["mode"] for source in sources)),
            "Machine": "; ".join(dict.fromkeys(_machine(source) for source in sources)),
            "Computing time, summed": _duration(content["seconds"]),
            "Versions": "; ".join(dict.fromkeys(_versions(source) for source in sources)),
        },
        tasks=tasks,
        notes=NOTES,
        commands=list(dict.fromkeys(s["command"] for s in sources if s["command"])),
        warnings=_warnings(sources),
    )


def _task(content: Mapping[str, Any], name: str) -> TaskBoard:
    told = content["tasks"][name]
    entries = [entry for entry in content["entries"] if entry["task"] == name]
    standings, seen = [], set()
    for family, contestant in dict.fromkeys((e["family"], e["contestant"]) for e in entries):
        if contestant in WITHOUT_MODEL:
            if contestant in seen:
                continue
            seen.add(contestant)
        standings.append(_standing(content, told, entries, family, contestant))
    standings.sort(key=lambda one: one.shifted.value if one.shifted else np.inf)
    models = [model for model in content["models"] if model["task"] == name]
    distances = [one for one in content["distances"] if one["task"] == name]
    return TaskBoard(
        name=name,
        title=told["title"],
        unit=f"m{told['unit']}",
        metric=METRICS[told["metric"]],
        facts={
            "Level of theory": told["level_of_theory"],
            "Prior": told["prior"],
            "Licence": told["licence"],
            "Source": told["source"],
        },
        axes={set_name: axis.replace("_", " ") for set_name, axis in told["axes"].items()},
        standings=standings,
        curves=distance_curves(entries, distances, content["contestants"]),
        models=[_facts(model) for model in models],
    )


def _standing(
    content: Mapping[str, Any],
    told: Mapping[str, Any],
    entries: Entries,
    family: str,
    contestant: str,
) -> Standing:
    about = content["contestants"][contestant]
    mine = _of(entries, family, contestant)
    done = {title: found for title in mine if (found := _done(mine[title]))}
    reasons: dict[str, list[str]] = {}
    for title, each in mine.items():
        for entry in each:
            if entry["status"] != DONE and title not in reasons.get(entry["reason"], ()):
                reasons.setdefault(entry["reason"], []).append(title)
    shifted = [title for title in told["axes"] if title in done]
    whole = len(shifted) == len(told["axes"])  # else a mean over the sets would be over others
    standing = {
        "family": "" if contestant in WITHOUT_MODEL else family,
        "method": about["title"],
        "kind": _kind(contestant, about),
        "direct": contestant not in WITHOUT_MODEL and _direct(content, family),
        "sets": {title: _interval(mean_error([by_structure(done[title])])) for title in shifted},
        "reasons": [f"{', '.join(titles)}: {reason}" for reason, titles in reasons.items()],
    }
    if CONTROL in done:
        standing["control"] = _interval(mean_error([by_structure(done[CONTROL])]))
    if not whole:
        return Standing(**standing)
    each = [entry for title in shifted for entry in done[title]]
    seeds = sorted({entry["seed"] for entry in each})
    records = [entry["record"] for entry in each if entry["record"] is not None]
    by_seed = [
        MILLI * float(np.mean([np.mean(e["errors"]) for e in each if e["seed"] == seed]))
        for seed in seeds
    ]
    return Standing(
        **standing,
        shifted=_interval(mean_error([by_structure(done[title]) for title in shifted])),
        median=MILLI * median_error([by_structure(done[title]) for title in shifted]),
        change=_against(entries, family, contestant, {t: done[t] for t in shifted}),
        after=_interval(mean_error([control_after(done[t], done[CONTROL]) for t in shifted]))
        if CONTROL in done
        else None,
        spread=(min(by_seed), max(by_seed)) if len(seeds) > 1 else None,
        seeds=len(seeds),
        acted=f"{sum(r['acted'] for r in records)} of {len(records)}" if records else "",
        seconds=float(np.mean([entry["seconds"] for entry in each])),
    )


def _against(
    entries: Entries, family: str, contestant: str, done: Mapping[str, Entries]
) -> Interval | None:
    """The change against the supervised model on the same structures and seeds."""
    base = _of(entries, family, BASELINE)
    if contestant == BASELINE:
        return None
    first: list[Each] = []
    second: list[Each] = []
    for title, mine in done.items():
        seeds = {entry["seed"] for entry in mine}
        theirs = [e for e in _done(base.get(title, [])) if e["seed"] in seeds]
        if not theirs:
            return None
        shared = {entry["seed"] for entry in theirs}
        first.append(by_structure([entry for entry in mine if entry["seed"] in shared]))
        second.append(by_structure(theirs))
    return _plain(change(first, second).relative)


def _of(entries: Entries, family: str, contestant: str) -> dict[str, list[Mapping[str, Any]]]:
    found: dict[str, list[Mapping[str, Any]]] = {}
    for entry in entries:
        if (entry["family"], entry["contestant"]) == (family, contestant):
            found.setdefault(entry["set"], []).append(entry)
    return found


def _done(entries: Entries) -> list[Mapping[str, Any]]:
    return [entry for entry in entries if entry["status"] == DONE]


def _direct(content: Mapping[str, Any], family: str) -> bool:
    """Whether the forces of a family are known to be no gradient."""
    return any(m["conservative"] is False for m in content["models"] if m["family"] == family)


def _kind(contestant: str, about: Mapping[str, Any]) -> str:
    if contestant == BASELINE:
        return "supervised"
    if about["sees_labels"]:
        return "labels"
    return "prior" if about["prior_at_inference"] else "plain"


def _interval(estimate: Estimate) -> Interval:
    return Interval(*(MILLI * v for v in (estimate.value, estimate.low, estimate.high)))


def _plain(estimate: Estimate) -> Interval:
    return Interval(estimate.value, estimate.low, estimate.high)


def _facts(model: Mapping[str, Any]) -> ModelFacts:
    seconds = sum(model["training_seconds"].values())
    return ModelFacts(
        model["family"],
        model["architecture"],
        model["parameters"],
        model["conservative"],
        seconds if model["training_seconds"] else None,
    )


def _machine(source: Mapping[str, Any]) -> str:
    machine = source["hardware"]
    parts = [machine["processor"], f"{machine['processors']} processors"]
    return ", ".join([*parts, machine["accelerator"] or "no accelerator"])


def _duration(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def _versions(source: Mapping[str, Any]) -> str:
    return ", ".join(f"{package} {found}" for package, found in source["versions"].items())


def _warnings(sources: Sequence[Mapping[str, Any]]) -> list[str]:
    found = []
    if any(source["mode"] == "dev" for source in sources):
        found.append(
            "This is the mode dev: few structures, few steps. It shows that everything runs, and "
            "nothing about models."
        )
    elif any(source["mode"] == "fast" for source in sources):
        found.append("This is the mode fast: models far from converged. Quote nothing from it.")
    if any("embedded" in source["tasks"] for source in sources):
        found.append(
            "The sets of the task embedded are development sets: settings of the refinements were "
            "chosen with their labels at hand."
        )
    if all(len(source["seeds"]) == 1 for source in sources):
        found.append("One seed: nothing here says how much another training would differ.")
    return found
