"""One cell of a benchmark: one contestant on one set, kept in a small file of its own."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from farfield.benchmarks.bench import Bench, evidence_recipes
from farfield.benchmarks.contestants.registry import CONTESTANTS
from farfield.benchmarks.study import judge
from farfield.errors import (
    CapabilityError,
    ConfigError,
    DependencyError,
    FarfieldError,
    ModelError,
    ProfileError,
)
from farfield.files import write_json
from farfield.shifts import diagnose, observe
from farfield.structures import without_labels

Say = Callable[[str], None]
Content = dict[str, Any]
DONE, NOT_AVAILABLE = "done", "n/a"
LINE = 0.95  # the quantile of held-out training scores by which distances are measured
DIGITS = 4


def result_of(bench: Bench, name: str, title: str, folder: Path, say: Say) -> Content:
    """The result of a contestant on a set, computed or read.

    ``status`` is ``"done"``, with what :func:`farfield.benchmarks.study.judge` returns, or
    ``"n/a"`` with the ``reason``: the model lacks a capability, predicts something that is not
    finite, or a package is not installed. The latter is not kept.
    """
    method = CONTESTANTS[name]

    def compute() -> Content:
        for strategy in method.models:
            _train(bench, [bench.recipe(strategy)], say)
        if method.left_out is not None:
            _train(bench, evidence_recipes(bench.zoo, method.left_out), say)
        return _finite(judge(bench, method, title))

    where = f"{_where(bench)} {name} {title}"
    return _kept(folder / name / f"{title}.json", where, compute, say)


def _finite(found: Content) -> Content:
    """The same, unless a prediction was not a finite number: that is no error to average."""
    if not np.isfinite([*found["errors"], *found["control"]]).all():
        raise ModelError("it predicts something that is not a finite number")
    return found


def distances_of(bench: Bench, folder: Path, say: Say) -> Content:
    """How far the structures of every set lie from training, as the supervised model sees it.

    By set and axis: the scores of all structures in order, and their combined ``quantile``;
    ``lines`` holds the 95 % quantile of held-out training structures of each axis.
    """

    def compute() -> Content:
        _train(bench, [bench.recipe("supervised")], say)
        model, profile, task = bench.model("supervised"), bench.profile, bench.zoo.task
        sets = {}
        for title, selections in task.sets.items():
            bare = without_labels(task.structures(selections))
            found = diagnose(bare, observe(bare, potential=model), profile).structures
            sets[title] = {
                "quantile": [one.quantile for one in found],
                "scores": {axis: [one.scores.get(axis) for one in found] for axis in profile.axes},
            }
        lines = {axis: float(np.quantile(fit.null, LINE)) for axis, fit in profile.axes.items()}
        return {"lines": lines, "sets": sets}

    return _kept(folder / "distances.json", f"{_where(bench)} distances", compute, say)


def _train(bench: Bench, recipes: list[Any], say: Say) -> None:
    for recipe in recipes:
        if not bench.zoo.ready(recipe):
            say(f"{_where(bench)}: training {recipe.name}")
            bench.zoo.model(recipe, say)


def _kept(path: Path, where: str, compute: Callable[[], Content], say: Say) -> Content:
    """What a file holds, or what is computed and written to it."""
    if path.exists():
        return _read(path)
    try:
        content = {"status": DONE, **_rounded(compute())}
    except DependencyError as error:
        say(f"{where}: n/a: {error}")
        return {"status": NOT_AVAILABLE, "reason": str(error)}
    except (CapabilityError, ModelError, ProfileError) as error:
        content = {"status": NOT_AVAILABLE, "reason": str(error)}
    except FarfieldError as error:
        raise type(error)(f"{where}: {error}") from error
    write_json(path, content)
    errors = content.get("errors")
    said = content["status"] if errors is None else f"{1000 * np.mean(errors):.1f}"
    say(
        f"{where}: {content['status']}: {content['reason']}"
        if "reason" in content
        else f"{where}: {said}"
    )
    return content


def _read(path: Path) -> Content:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ConfigError(f"{path}: damaged ({error}): delete it, and it is made again") from error
    if not isinstance(content, dict) or "status" not in content:
        raise ConfigError(f"{path}: no result of a benchmark: delete it, and it is made again")
    return content


def _where(bench: Bench) -> str:
    return f"{bench.zoo.task.name} {bench.zoo.family.name} seed {bench.seed}"


def _rounded(content: Any) -> Any:
    if isinstance(content, dict):
        return {key: _rounded(value) for key, value in content.items()}
    if isinstance(content, (list, tuple)):
        return [_rounded(value) for value in content]
    if isinstance(content, float):
        return float(f"{content:.{DIGITS}g}") if np.isfinite(content) else None
    return content
