"""Molecular dynamics of unseen molecules: who lives how long, plain and refined.

From the embedded sets, one structure of each of the first formulas starts the simulations, in
several replicas, Langevin at 500 K with steps of 0.5 fs. Each model simulates all of them as one
batch; a refined one is adapted to the whole unlabelled set first, and then frozen. The prior
itself, GFN2-xTB, runs beside them, and its distances h(r) are what those of the models are
compared with. That is a comparison with the prior, not with the reference.

Usage: ``python benchmarks/simulation/run.py [--duration 10] [--replicas 2] [--seed 0]
[--sets NAME ...] [--only NAME ...] [--folder build/simulation]``. A run that was stopped goes
on, and what is done is not done again. Writes ``results.json`` and ``results.md``
beside this script; each run's report is in its folder.
"""

from __future__ import annotations

import argparse
import json
import os
from pathlib import Path
from typing import Any

import numpy as np
from ase import Atoms

from farfield import read, simulate
from farfield.embedded import structures_file
from farfield.errors import StructureError
from farfield.files import write_json, write_text
from farfield.potentials.blackbox import BlackBoxPotential
from farfield.priors import load_prior
from farfield.simulation.observables import interatomic_distances
from farfield.structures import without_labels
from farfield.threads import limit_threads

HERE = Path(__file__).parent
PRIOR = "gfn2"
MODELS: dict[str, dict[str, Any]] = {
    "GFN2-xTB": {},
    "supervised": {"model": "embedded-supervised"},
    "joint": {"model": "embedded"},
    "joint, test-time training": {"model": "embedded", "refine": "ttt"},
    "joint, corrected and distilled": {"model": "embedded", "refine": "distil"},
}
FORMULAS = 4
TEMPERATURE, TIMESTEP = 500.0, 0.5  # K, fs
EQUILIBRATED = 0.2  # share of a trajectory that is left out of h(r)


def starts(name: str) -> list[Atoms]:
    """The first structure of each of the first formulas of a set."""
    found: dict[str, Atoms] = {}
    for atoms in without_labels(read(structures_file(name))):
        found.setdefault(atoms.get_chemical_formula(), atoms)
    return list(found.values())[:FORMULAS]


def run(name: str, title: str, arguments: argparse.Namespace) -> tuple[dict[str, Any], Path]:
    """One model on one set: the record, and where its files are."""
    given = dict(MODELS[title])
    if not given:
        given["model"] = BlackBoxPotential(load_prior(PRIOR).calculator())
    if "refine" in given:
        data = structures_file(name)
        replay = read(structures_file("train"))
        given |= {"refine_on": data, "prior": PRIOR, "replay": replay}
    folder = arguments.folder / name / title.replace(", ", "-").replace(" ", "-")
    done = simulate(
        starts(name),
        output=folder,
        ensemble="nvt",
        temperature=TEMPERATURE,
        timestep=TIMESTEP,
        duration=arguments.duration,
        replicas=arguments.replicas,
        seed=arguments.seed,
        **given,
    )
    return done.record, folder


def distances(record: dict[str, Any], folder: Path) -> dict[str, Any]:
    """h(r) of each formula over all replicas, without the start; None where all ended early."""
    frames: dict[str, list[Atoms]] = {}
    for each in record["simulations"]:
        path = folder / each["folder"] / "trajectory.extxyz"
        lived = read(path)
        kept = lived[int(EQUILIBRATED * len(lived)) :]
        frames.setdefault(each["formula"], []).extend(kept)
    found: dict[str, Any] = {}
    for formula, kept in frames.items():
        try:
            found[formula] = interatomic_distances(kept)
        except StructureError:
            found[formula] = None
    return found


def row(record: dict[str, Any], own: dict[str, Any], prior: dict[str, Any]) -> dict[str, Any]:
    """What stands in the table for one model and set."""
    errors = [
        own[formula].difference(prior[formula])
        for formula in own
        if own[formula] is not None and prior[formula] is not None
    ]
    return {
        "alive": record["n_completed"],
        "simulations": record["n_simulations"],
        "median_lifetime_ps": record["median_lifetime_ps"],
        "failures": record["failures"],
        "h_difference_to_prior": float(np.mean(errors)) if errors else None,
        "speed_ns_per_day": record["speed_ns_per_day"],
        "seconds": record["seconds"],
    }


def table(results: dict[str, dict[str, dict[str, Any]]], duration: float) -> str:
    """Markdown."""
    lines = []
    for name, rows in results.items():
        heads = [name.replace("_", " "), f"alive after {duration:g} ps", "median lifetime (ps)"]
        heads += ["causes", "h(r) against the prior's", "speed (ns/day, all)"]
        lines += ["| " + " | ".join(heads) + " |", "|---" * len(heads) + "|"]
        for title, found in rows.items():
            median, error = found["median_lifetime_ps"], found["h_difference_to_prior"]
            causes = (f"{check.replace('_', ' ')} {n}" for check, n in found["failures"].items())
            cells = [title, f"{found['alive']} of {found['simulations']}"]
            cells += ["over the end" if median is None else f"{median:.3g}"]
            cells += [", ".join(causes) or "none", "" if error is None else f"{error:.2f}"]
            cells += [f"{found['speed_ns_per_day']:.2g}"]
            lines.append("| " + " | ".join(cells) + " |")
        lines.append("")
    return "\n".join(lines)


def main() -> None:
    """Run what is missing, and write the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--duration", type=float, default=10.0, help="ps")
    parser.add_argument("--replicas", type=int, default=2, help="of each start")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--sets", nargs="+", default=["new_connectivity", "new_molecules"])
    parser.add_argument("--only", nargs="+", choices=list(MODELS), default=list(MODELS))
    parser.add_argument("--folder", type=Path, default=Path("build/simulation"))
    arguments = parser.parse_args()
    limit_threads()
    results: dict[str, dict[str, dict[str, Any]]] = {}
    for name in arguments.sets:
        prior: dict[str, Any] = {}
        for title in arguments.only:
            record, folder = run(name, title, arguments)
            own = distances(record, folder)
            prior = prior or own  # the first of the table is the prior
            results.setdefault(name, {})[title] = row(record, own, prior)
            print(name, title, json.dumps(results[name][title]), flush=True)
    command = f"python benchmarks/simulation/run.py --duration {arguments.duration:g}"
    content = {
        "command": f"{command} --replicas {arguments.replicas} --sets {' '.join(arguments.sets)}",
        "seed": arguments.seed,
        "temperature_K": TEMPERATURE,
        "timestep_fs": TIMESTEP,
        "processors": os.cpu_count(),
        "results": results,
    }
    write_json(HERE / "results.json", content)
    text = table(results, arguments.duration)
    write_text(HERE / "results.md", text)
    print(text)


if __name__ == "__main__":
    main()
