"""Run a benchmark: every task, family, seed, contestant and set of a mode."""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import suppress
from dataclasses import asdict, dataclass
from importlib.metadata import version
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from farfield.benchmarks import cells
from farfield.benchmarks.bench import Bench
from farfield.benchmarks.contestants.registry import CONTESTANTS
from farfield.benchmarks.families import Family, load_family
from farfield.benchmarks.modes.mode import Mode
from farfield.benchmarks.provenance import hardware, versions
from farfield.benchmarks.results.files import SCHEMA, save_results, seconds_of
from farfield.benchmarks.tasks.checks import Fingerprints, check_task
from farfield.benchmarks.tasks.task import UNITS, Task, load_task
from farfield.benchmarks.zoo import Recipe, Zoo
from farfield.errors import CapabilityError, DependencyError
from farfield.potentials.create import checked_settings
from farfield.priors import LabelCache
from farfield.processes import set_up_process
from farfield.settings import validated
from farfield.training import TrainingSettings

Say = Callable[[str], None]
RESULTS = "results.json"


@dataclass(frozen=True)
class Unit:
    """One family of models on one task, as a mode runs it; units are computed apart.

    Attributes
    ----------
    task, family, mode
        What is run.
    data
        Fingerprints of the task's structures and labels.
    folder
        Of the run.
    cache
        Folder of the label cache.
    """

    task: Task
    family: Family
    mode: Mode
    data: Fingerprints
    folder: Path
    cache: Path

    @property
    def key(self) -> str:
        """What decides every result of this unit, but for the code of other packages."""
        content = {
            "task": self.task.model_dump(mode="json", exclude={"training_seeds"}),
            "family": self.family.model_dump(mode="json"),
            "data": asdict(self.data),
            "effort": str(self.mode.effort),
            "farfield": version("farfield"),
        }
        text = json.dumps(content, sort_keys=True)
        return f"{self.family.name}-{hashlib.sha256(text.encode()).hexdigest()[:8]}"


def run_benchmark(
    mode: Mode,
    folder: Path,
    *,
    name: str = "",
    command: str = "",
    cache: Path | None = None,
    workers: int = 1,
    say: Say = lambda line: None,
) -> dict[str, Any]:
    """Run a mode, and write ``results.json``; what the folder holds is not computed again.

    Parameters
    ----------
    mode
        What to compute.
    folder
        For the models, a file per result, and ``results.json``. Models and results are kept
        apart by all that decides them, so that one folder may hold several runs.
    name, command
        Of the mode, and the shell command, for the result's file.
    cache
        Folder of the label cache; None takes one in ``folder``.
    workers
        Processes, each with a family on a task.
    say
        Told of every training and result.

    Returns
    -------
    The content of ``results.json``, see ``docs/benchmark.md``.

    Raises
    ------
    ConfigError, LabelError
        A task is not what it says, or a family or file is not known; before anything is
        trained.
    """
    units = list(_units(mode, folder, folder / "cache" if cache is None else cache))
    if workers > 1 and len(units) > 1:
        with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
            for done in [pool.submit(_apart, unit) for unit in units]:
                done.result()
    content: dict[str, Any] = {
        "schema": SCHEMA,
        "mode": name,
        "title": mode.title,
        "command": command,
        "versions": versions(),
        "hardware": hardware(),
        "seeds": list(mode.seeds),
        "settings": mode.model_dump(mode="json", exclude_defaults=True),
        "units": {**UNITS, "seconds": "s"},
        "tasks": {unit.task.name: _told(unit) for unit in units},
        "contestants": {
            key: {
                "title": CONTESTANTS[key].title,
                "prior_at_inference": CONTESTANTS[key].prior_at_inference,
                "sees_labels": CONTESTANTS[key].sees_labels,
            }
            for key in mode.contestants
        },
        "models": [],
        "distances": [],
        "entries": [],
    }
    for unit in units:
        for key, found in _computed(unit, say).items():
            content[key] += found
    content["seconds"] = seconds_of(content)
    save_results(folder / RESULTS, content)
    return content


def _units(mode: Mode, folder: Path, cache: Path) -> Iterator[Unit]:
    """All units, every task and family checked before the first is run."""
    for spec in mode.tasks:
        task = mode.applied(load_task(spec))
        families = [load_family(name, task.families, mode.changes) for name in mode.families]
        for family in families:
            _require_settings(task, family)
        data = check_task(task)
        for family in families:
            yield Unit(task, family, mode, data, folder, cache)


def _require_settings(task: Task, family: Family) -> None:
    """Refuse settings that the architecture or the training does not take."""
    where = f"family {family.name}"
    validated(TrainingSettings, {**task.training, **family.training}, f"{where}: training")
    with suppress(DependencyError):  # its results will be "n/a", with the reason
        checked_settings(family.architecture, family.settings, where)


def _apart(unit: Unit) -> None:
    """Compute a unit in a process of its own; what it leaves are its files."""
    set_up_process()
    _computed(unit, _aloud)


def _aloud(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def _computed(unit: Unit, say: Say) -> dict[str, list[dict[str, Any]]]:
    task, family = unit.task, unit.family
    about = {"task": task.name, "family": family.name}
    entries, distances = [], []
    with LabelCache(unit.cache) as cache:
        zoo = Zoo(task, unit.folder / "models" / unit.key, cache, family)
        for seed in unit.mode.seeds:
            bench = Bench(zoo, seed, unit.cache, unit.mode.effort)
            place = unit.folder / "cells" / unit.key / task.name / f"seed-{seed}"
            place = place / f"of-{task.training_seeds}"
            for name in unit.mode.contestants:
                for title in task.sets:
                    found = cells.result_of(bench, name, title, place, say)
                    entries.append(
                        {**about, "seed": seed, "contestant": name, "set": title, **found}
                    )
            distances.append({**about, "seed": seed, **cells.distances_of(bench, place, say)})
        return {
            "entries": entries,
            "distances": distances,
            "models": [{**about, **_model(zoo, unit)}],
        }


def _model(zoo: Zoo, unit: Unit) -> dict[str, Any]:
    """What the models of a unit are, and how long their trainings took."""
    recipe = Recipe("supervised", 0)
    try:
        model = zoo.model(recipe) if zoo.ready(recipe) else None
    except (CapabilityError, DependencyError):
        model = None
    parameters = None
    if model is not None:
        known = {**model.representation_parameters(), **model.head_parameters()}
        parameters = sum(parameter.numel() for parameter in known.values())
    return {
        "architecture": unit.family.architecture,
        "settings": unit.family.settings,
        "training": unit.family.training,
        "parameters": parameters,
        "conservative": None if model is None else model.conservative,
        "training_seconds": zoo.trained(),
    }


def _told(unit: Unit) -> dict[str, Any]:
    """What a reader of the results must know of a task."""
    task = unit.task
    return {
        "title": task.title,
        "level_of_theory": task.level_of_theory,
        "licence": task.licence,
        "source": task.source,
        "prior": task.prior,
        "metric": task.metric,
        "unit": UNITS[task.metric],
        "axes": dict(task.axes),
        "fingerprint": unit.data.test,
        "training_fingerprint": unit.data.training,
        "definition": task.model_dump(mode="json", exclude_defaults=True),
    }
