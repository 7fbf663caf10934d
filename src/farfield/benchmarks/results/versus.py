"""Two result files against each other, on the structures that both judged."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from farfield.benchmarks.cells import DONE
from farfield.benchmarks.results.files import same_tasks
from farfield.benchmarks.results.statistics import Change, Each, by_structure, change, mean_error
from farfield.errors import ConfigError

TOLD = {"title", "source", "train", "control", "shifted"}  # fingerprints tell of the last three


@dataclass(frozen=True)
class Row:
    """One contestant on one set, in both files; errors in the task's unit.

    Attributes
    ----------
    task, set, contestant, first, second
        What is compared; ``first`` and ``second`` are the families of models.
    unit
        Of the errors.
    errors
        Mean errors of the first and of the second.
    change
        Of the second against the first.
    seeds
        Seeds that both have.
    """

    task: str
    set: str
    contestant: str
    first: str
    second: str
    unit: str
    errors: tuple[float, float]
    change: Change
    seeds: tuple[int, ...]

    def to_plain(self) -> dict[str, Any]:
        """Plain values, the verdict among them."""
        return {**asdict(self), "verdict": self.change.verdict}


def versus(first: dict[str, Any], second: dict[str, Any], names: tuple[str, str]) -> list[Row]:
    """Compare the second with the first, paired by task, family, contestant, set and seed.

    Families are paired by name; where they share none and each has one, these two are.

    Raises
    ------
    ConfigError
        The files share no task, or not the same one; or nothing in them can be paired.
    """
    tasks = same_tasks(first, second, names)
    mine, theirs = ({model["family"] for model in content["models"]} for content in (first, second))
    families = [(family, family) for family in sorted(mine & theirs)]
    if not families and len(mine) == len(theirs) == 1:
        families = [(*mine, *theirs)]
    rows = []
    for task in tasks:
        for one, other in families:
            a, b = (_done(c, task, f) for c, f in ((first, one), (second, other)))
            for contestant, title in dict.fromkeys((key[0], key[1]) for key in a):
                seeds = _seeds(a, contestant, title) & _seeds(b, contestant, title)
                if seeds:
                    rows.append(_row(first, task, (one, other), (contestant, title), a, b, seeds))
    if not rows:
        raise ConfigError(
            f"{names[0]} and {names[1]} share no result of the same family of models, contestant, "
            f"set and seed (families {', '.join(sorted(mine))}; {', '.join(sorted(theirs))})"
        )
    return rows


def differences(first: dict[str, Any], second: dict[str, Any]) -> list[str]:
    """In what else two runs differ that share tasks: what a change may be due to, in words."""
    found = []
    for name in (name for name in first["tasks"] if name in second["tasks"]):
        mine, theirs = first["tasks"][name], second["tasks"][name]
        if mine["training_fingerprint"] != theirs["training_fingerprint"]:
            found.append(f"{name}: trained on other structures or labels")
        known = sorted({*mine["definition"], *theirs["definition"]} - TOLD)
        for key in known:
            pair = (mine["definition"].get(key), theirs["definition"].get(key))
            if pair[0] != pair[1]:
                found.append(f"{name}: {key} {pair[0]} → {pair[1]}")
    models = {(model["task"], model["family"]): model for model in first["models"]}
    for model in second["models"]:
        other = models.get((model["task"], model["family"]))
        for key in ("architecture", "settings", "training"):
            if other is not None and other[key] != model[key]:
                where = f"{model['task']}, {model['family']}"
                found.append(f"{where}: {key} {other[key]} → {model[key]}")
    for package, version in second["versions"].items():
        if first["versions"].get(package) != version:
            found.append(f"{package} {first['versions'].get(package)} → {version}")
    return found


Results = dict[tuple[str, str, int], dict[str, Any]]  # by contestant, set and seed


def _done(content: dict[str, Any], task: str, family: str) -> Results:
    return {
        (entry["contestant"], entry["set"], entry["seed"]): entry
        for entry in content["entries"]
        if (entry["task"], entry["family"], entry["status"]) == (task, family, DONE)
    }


def _seeds(results: Results, contestant: str, title: str) -> set[int]:
    return {seed for name, place, seed in results if (name, place) == (contestant, title)}


def _row(
    content: dict[str, Any],
    task: str,
    families: tuple[str, str],
    what: tuple[str, str],
    first: Results,
    second: Results,
    seeds: set[int],
) -> Row:
    pair: list[Each] = [
        by_structure(results[(*what, seed)] for seed in sorted(seeds))
        for results in (first, second)
    ]
    contestant, title = what
    return Row(
        task,
        title,
        contestant,
        *families,
        content["tasks"][task]["unit"],
        (mean_error(pair[:1]).value, mean_error(pair[1:]).value),
        change(pair[1:], pair[:1]),
        tuple(sorted(seeds)),
    )
