"""Molecular dynamics of unseen molecules: who lives how long, plain and refined.

From each shifted set, one structure of each of its formulas starts the simulations, in several
replicas, Langevin at 500 K with steps of 0.5 fs. Each model simulates all of them as one batch.
A refined one is the supervised model, retrofitted with a prior head (no reference label of any
kind), adapted to 1 ps of the prior's own dynamics at 1000 K from the same starts, with rattled
copies, and then frozen. The prior itself, GFN2-xTB, runs beside them, one replica of each start,
and its distances h(r) are what those of the models are compared with. That is a comparison with
the prior, not with the reference.

Usage: ``python benchmarks/simulation/run.py [--duration 10] [--seed 0] [--sets NAME ...]
[--sample-temperature 1000] [--only NAME ...] [--folder build/simulation]
[--models build/training]``. A run that was stopped goes on, and what is done is not done again;
models of the second folder are not trained again. The set ``md17`` needs FARFIELD_DATA. Writes
``results.json`` and ``results.md`` beside this script, of what is done; each run's report is in
its folder. What it costs stands in ``cost.py``.
"""

from __future__ import annotations

import argparse
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from ase import Atoms

from farfield import compare, simulate
from farfield.benchmarks.tasks.task import load_task
from farfield.benchmarks.zoo import Recipe, Strategy, Zoo
from farfield.files import write_json, write_text
from farfield.potentials import Potential
from farfield.potentials.blackbox import BlackBoxPotential
from farfield.priors import LabelCache, load_prior
from farfield.processes import set_up_process
from farfield.structures import without_labels

HERE = Path(__file__).parent
PRIOR = "gfn2"
REFERENCE = "GFN2-xTB"  # of h(r)
SAMPLE = 1.0  # ps of the prior's dynamics to adapt to
ADAPTATION = {
    "steps": 3000,
    "learning_rate": 0.01,
    "batch_size": 4,
    "replay_batch_size": 4,
    "replay_weight": 2.0,
    "copies": 4,
    "judge_every": 100,
}
MODELS: dict[str, tuple[Strategy | None, str | None]] = {
    REFERENCE: (None, None),
    "supervised": ("supervised", None),
    "joint": ("joint", None),
    "retrofitted, test-time training": ("retrofit", "ttt"),
    "retrofitted, distilled": ("retrofit", "distil"),
}
TEMPERATURE, TIMESTEP = 500.0, 0.5  # K, fs


@dataclass(frozen=True)
class Case:
    """Which molecules: of some shifted sets of a task, so many formulas, so often each."""

    task: str
    sets: tuple[str, ...]
    formulas: int
    replicas: int


CASES = {
    "new_connectivity": Case("embedded", ("new_connectivity",), 3, 3),
    "md17": Case("md17", ("toluene", "naphthalene"), 2, 4),
    "new_molecules": Case("embedded", ("new_molecules",), 4, 2),
}


def starts(zoo: Zoo, case: Case) -> list[Atoms]:
    """The first structure of each of the first formulas."""
    found: dict[str, Atoms] = {}
    for name in case.sets:
        for atoms in without_labels(zoo.task.structures(zoo.task.shifted[name])):
            found.setdefault(atoms.get_chemical_formula(), atoms)
    return list(found.values())[: case.formulas]


def run(zoo: Zoo, name: str, title: str, arguments: argparse.Namespace) -> dict[str, Any] | None:
    """One model on one set: the record, with its folder; None where it is not asked for."""
    case, (strategy, method) = CASES[name], MODELS[title]
    folder = arguments.folder / name / title.replace(", ", "-").replace(" ", "-")
    if title not in arguments.only and not (folder / "record.json").exists():
        return None
    if strategy is None:
        model: Potential = BlackBoxPotential(load_prior(PRIOR).calculator())
    else:
        model = zoo.model(Recipe(strategy, arguments.seed))
    refining: dict[str, Any] = {}
    if method is not None:
        given = {"sample": SAMPLE, "prior": PRIOR}
        given["sample_temperature"] = arguments.sample_temperature
        given["replay"] = zoo.task.training_structures()
        refining = {"refine": method, "refine_options": ADAPTATION, **given}
    done = simulate(
        starts(zoo, case),
        model=model,
        output=folder,
        ensemble="nvt",
        temperature=TEMPERATURE,
        timestep=TIMESTEP,
        duration=arguments.duration,
        replicas=1 if strategy is None else case.replicas,
        seed=arguments.seed,
        **refining,
    )
    return {**done.record, "path": folder}


def rows(zoo: Zoo, name: str, arguments: argparse.Namespace) -> dict[str, dict[str, Any]]:
    """What stands in the table for one set, by model; and a report in the set's folder."""
    records = {
        title: found for title in MODELS if (found := run(zoo, name, title, arguments)) is not None
    }
    if not records:
        return {}
    folders = {title: record["path"] for title, record in records.items()}
    plain = {"supervised": zoo.model(Recipe("supervised", arguments.seed))}
    found = compare(
        {title: folder for title, folder in folders.items() if title != REFERENCE},
        reference=folders.get(REFERENCE),
        prior=PRIOR,
        models=plain,
        output=arguments.folder / name / "comparison",
    )["runs"]
    result = {}
    for title, record in records.items():
        errors = found[title]["h_difference"].values() if title in found else ()
        known = [error for error in errors if error is not None]
        result[title] = {
            "alive": record["n_completed"],
            "simulations": record["n_simulations"],
            "median_lifetime_ps": record["median_lifetime_ps"],
            "failures": record["failures"],
            "h_difference_to_prior": float(np.mean(known)) if known else None,
        }
    return result


def table(results: dict[str, dict[str, dict[str, Any]]], duration: float) -> str:
    """Markdown."""
    lines = []
    for name, each in results.items():
        heads = [name.replace("_", " "), f"alive after {duration:g} ps", "median lifetime (ps)"]
        heads += ["causes", "h(r) against the prior's"]
        lines += ["| " + " | ".join(heads) + " |", "|---" * len(heads) + "|"]
        for title, found in each.items():
            median, error = found["median_lifetime_ps"], found["h_difference_to_prior"]
            causes = (f"{check.replace('_', ' ')} {n}" for check, n in found["failures"].items())
            cells = [title, f"{found['alive']} of {found['simulations']}"]
            cells += ["over the end" if median is None else f"{median:.3g}"]
            cells += [", ".join(causes) or "none", "" if error is None else f"{error:.2f}"]
            lines.append("| " + " | ".join(cells) + " |")
        lines.append("")
    return "\n".join(lines)


def main() -> None:
    """Run what is missing, and write the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--duration", type=float, default=10.0, help="ps")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--sample-temperature", type=float, default=1000.0, help="K")
    parser.add_argument("--sets", nargs="+", choices=list(CASES), default=list(CASES))
    parser.add_argument("--only", nargs="*", choices=list(MODELS), default=list(MODELS))
    parser.add_argument("--folder", type=Path, default=Path("build/simulation"))
    parser.add_argument("--models", type=Path, default=Path("build/training"))
    arguments = parser.parse_args()
    set_up_process()
    results: dict[str, dict[str, dict[str, Any]]] = {}
    with LabelCache(arguments.models / "cache") as cache:
        for name in arguments.sets:
            zoo = Zoo(load_task(CASES[name].task), arguments.models / "models", cache)
            results[name] = rows(zoo, name, arguments)
            print(name, json.dumps(results[name]), flush=True)
    content = {
        "command": f"python benchmarks/simulation/run.py --duration {arguments.duration:g}",
        "seed": arguments.seed,
        "temperature_K": TEMPERATURE,
        "timestep_fs": TIMESTEP,
        "sample_ps": SAMPLE,
        "sample_temperature_K": arguments.sample_temperature,
        "adaptation": ADAPTATION,
        "processors": os.cpu_count(),
        "results": results,
    }
    write_json(HERE / "results.json", content)
    text = table(results, arguments.duration)
    write_text(HERE / "results.md", text)
    print(text)


if __name__ == "__main__":
    main()
