"""The result files of benchmarks: written line by line, read again, checked and merged."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from farfield.errors import ConfigError
from farfield.files import write_text

SCHEMA = "farfield-benchmark/1"
LISTS = ("models", "distances", "entries")
KEYS = ("mode", "title", "command", "versions", "hardware", "seeds", "tasks")
FREE = {"models", "training_seeds", "families", "title", "source"}  # may differ on one page
SAME = ("fingerprint", "level_of_theory", "metric")  # or errors cannot be compared


def save_results(path: Path, content: dict[str, Any]) -> None:
    """Write results as JSON, one line for each result, atomically."""
    head = {key: value for key, value in content.items() if key not in LISTS}
    text = json.dumps(head, indent=1, ensure_ascii=False, allow_nan=False)
    parts = [text.removesuffix("\n}")]
    for key in LISTS:
        lines = [json.dumps(one, ensure_ascii=False, allow_nan=False) for one in content[key]]
        parts.append(f' "{key}": [\n  ' + ",\n  ".join(lines) + "\n ]")
    write_text(path, ",\n".join(parts) + "\n}\n")


def load_results(path: Path) -> dict[str, Any]:
    """Read the results of a run.

    Raises
    ------
    ConfigError
        The file is missing, is not JSON, or holds something else.
    """
    if not path.is_file():
        raise ConfigError(f"{path}: no such file: make one with  farfield bench run")
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ConfigError(f"{path}: not a JSON file ({error})") from error
    if not isinstance(content, dict) or content.get("schema") != SCHEMA:
        raise ConfigError(f"{path}: no results of  farfield bench run  (schema {SCHEMA!r})")
    if lacking := [key for key in (*KEYS, "contestants", *LISTS) if key not in content]:
        raise ConfigError(f"{path}: incomplete, it lacks {', '.join(lacking)}: run it again")
    return content


def same_tasks(first: dict[str, Any], second: dict[str, Any], names: Sequence[str]) -> list[str]:
    """The tasks that both have.

    Raises
    ------
    ConfigError
        They share no task; or one of them is another one: other test structures, another
        level of theory, another metric.
    """
    one, other = names
    shared = [name for name in first["tasks"] if name in second["tasks"]]
    if not shared:
        raise ConfigError(
            f"{one} has the tasks {', '.join(first['tasks'])}, {other} has "
            f"{', '.join(second['tasks'])}: nothing can be compared"
        )
    for name in shared:
        for key in reversed(SAME):
            mine, theirs = first["tasks"][name][key], second["tasks"][name][key]
            if mine != theirs:
                what = {"fingerprint": "test structures", "level_of_theory": "level of theory"}
                raise ConfigError(
                    f"task {name}: {one} and {other} have another {what.get(key, key)} "
                    f"({mine}; {theirs}): their errors cannot be compared"
                )
    return shared


def merged(contents: Sequence[dict[str, Any]], names: Sequence[str]) -> dict[str, Any]:
    """Several results as one; where two have the same result, the later one counts.

    Raises
    ------
    ConfigError
        Two have tasks of the same name that are not the same, or families of the same name
        that are not the same models.
    """
    found = dict(contents[0])
    for place, content in enumerate(contents[1:], 1):
        if any(task in found["tasks"] for task in content["tasks"]):
            for task in same_tasks(found, content, (names[0], names[place])):
                _same_training(found["tasks"][task], content["tasks"][task], names[place])
        _same_models(found, content, names[place])
        for key in ("tasks", "contestants"):
            found[key] = {**found[key], **content[key]}
        for key in LISTS:
            fresh = {_key(one) for one in content[key]}
            found[key] = [one for one in found[key] if _key(one) not in fresh] + content[key]
        found["seeds"] = sorted({*found["seeds"], *content["seeds"]})
    found["seconds"] = seconds_of(found)
    return found


def seconds_of(content: dict[str, Any]) -> float:
    """Computing time of all models and results, s, whenever and wherever they were computed."""
    made = sum(entry.get("seconds", 0.0) for entry in content["entries"])
    trained = sum(sum(model["training_seconds"].values()) for model in content["models"])
    return round(float(made + trained), 1)


def _same_training(first: dict[str, Any], second: dict[str, Any], name: str) -> None:
    if first["training_fingerprint"] != second["training_fingerprint"]:
        raise ConfigError(
            f"{name}: its task {first['definition']['name']} was trained on other structures than "
            "the one before it: on one page all models are trained alike"
        )
    mine, theirs = first["definition"], second["definition"]
    for key in sorted({*mine, *theirs} - FREE):
        if mine.get(key) != theirs.get(key):
            raise ConfigError(
                f"{name}: its task {mine['name']} was run with {key} {theirs.get(key)}, another "
                f"one with {mine.get(key)}: on one page all models are trained alike"
            )


def _same_models(first: dict[str, Any], second: dict[str, Any], name: str) -> None:
    known = {(model["task"], model["family"]): model for model in first["models"]}
    for model in second["models"]:
        other = known.get((model["task"], model["family"]))
        told = ("architecture", "settings", "training")
        if other is not None and any(other[key] != model[key] for key in told):
            raise ConfigError(
                f"{name}: its family {model['family']!r} on the task {model['task']} has other "
                "settings than that of the same name before it: give one of them another name"
            )


def _key(one: dict[str, Any]) -> tuple[Any, ...]:
    return tuple(one.get(key) for key in ("task", "family", "seed", "contestant", "set"))
