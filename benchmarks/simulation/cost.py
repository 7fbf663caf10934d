"""What the checks of a simulation cost, and what a refined model costs beside the plain one.

The shipped model ``embedded`` runs Langevin dynamics of 8 copies of pentane (17 atoms) and of
icosane (62 atoms), with the default checks and without any, in turns; then the plain model, one
after test-time training and one distilled, in turns. What is compared is the CPU time of this
process on one thread, since the machine may be busy with other work. The share of the checks is
that of the CPU time spent after a step, with checks less without; the difference between whole
runs is given beside it, and is small against its spread. Medians and quartiles.

Usage: ``python benchmarks/simulation/cost.py [--repeats 3] [--steps 40]``. Writes ``cost.json``
and ``cost.md`` beside this script.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
from ase import Atoms

from farfield import load_model, profile, read, refine
from farfield.embedded import structures_file
from farfield.files import write_json, write_text
from farfield.potentials import Potential
from farfield.priors import load_prior
from farfield.simulation import Job, SimulationSettings, group
from farfield.simulation.simulation import Simulation
from farfield.threads import limit_threads

HERE = Path(__file__).parent
REPLICAS, TEMPERATURE, PRIOR, MODEL = 8, 300.0, "gfn2", "embedded"
REFINED = {"test-time training": "ttt", "distilled": "distil"}
WATCHED_STEPS = 100  # the prior and the shift look once
PROFILED = 40


def alkane(count: int) -> Atoms:
    """A straight chain of ``count`` carbon atoms with its hydrogen atoms."""
    along, across, bond = 1.27, 0.42, 1.09  # Å
    symbols, places = [], []
    for index in range(count):
        side = 1.0 if index % 2 else -1.0
        carbon = np.array([along * index, side * across, 0.0])
        symbols += ["C", "H", "H"]
        places += [carbon]
        places += [carbon + bond * np.array([0.0, 0.58 * side, z]) for z in (0.81, -0.81)]
        if index in (0, count - 1):
            outward = -1.0 if index == 0 else 1.0
            symbols.append("H")
            places.append(carbon + bond * np.array([0.82 * outward, -0.57 * side, 0.0]))
    return Atoms(symbols, places)


def cost(
    potential: Potential,
    start: Atoms,
    steps: int,
    *,
    checked: bool,
    watch: dict[str, Any] | None = None,
) -> tuple[float, float]:
    """CPU time of a run, s, and the share of it after a step: the checks, and writing."""
    settings = SimulationSettings(
        temperature=TEMPERATURE, duration=5e-4 * steps, replicas=REPLICAS, stride=20
    )
    judge, judged = Simulation.judge, 0.0

    def timed(*given: Any) -> None:
        nonlocal judged
        begin = time.thread_time()
        judge(*given)
        judged += time.thread_time() - begin

    made = group.checks_of if checked else lambda *given: []
    with (
        tempfile.TemporaryDirectory() as folder,
        patch.object(group, "checks_of", made),
        patch.object(Simulation, "judge", timed),
    ):
        job = Job(potential, None, [start], settings, Path(folder), "cost", **(watch or {}))
        begin = time.process_time()
        found = group.run_group(job, list(range(REPLICAS)), lambda step, alive: None)
        taken = time.process_time() - begin
    assert all(outcome.completed for outcome in found.outcomes), found.outcomes
    return taken, judged / taken


def spread(values: Sequence[float]) -> dict[str, float]:
    """Median and quartiles."""
    low, median, high = np.quantile(values, (0.25, 0.5, 0.75))
    return {"median": float(median), "low": float(low), "high": float(high)}


def checks_cost(
    start: Atoms, repeats: int, steps: int, watch: dict[str, Any] | None = None
) -> dict[str, Any]:
    """The share of CPU time that checks take: with them less without, in turns."""
    potential = load_model(MODEL)
    cost(potential, start, 5, checked=False)  # warm
    shares, whole = [], []
    for repeat in range(repeats):
        order = (True, False) if repeat % 2 else (False, True)
        taken = {on: cost(potential, start, steps, checked=on, watch=watch) for on in order}
        shares.append(taken[True][1] - taken[False][1])
        whole.append(taken[True][0] / taken[False][0] - 1.0)
    return {
        "formula": start.get_chemical_formula(),
        "n_atoms": len(start),
        "steps": steps,
        "ms_per_step": 1e3 * taken[False][0] / steps,
        "share": spread(shares),
        "difference_of_the_whole": spread(whole),
    }


def watching() -> dict[str, Any]:
    """The prior and the profile, which look every 100 steps."""
    known = profile(read(structures_file("train"))[:PROFILED], model=MODEL)
    return {"prior": load_prior(PRIOR), "profile": known, "profiled": load_model(MODEL)}


def refined_cost(start: Atoms, repeats: int, steps: int) -> dict[str, Any]:
    """CPU time of refined models in units of the plain model's."""
    replay = read(structures_file("train"))[:PROFILED]
    with tempfile.TemporaryDirectory() as folder:
        potentials = {"plain": load_model(MODEL), "plain again": load_model(MODEL)}
        for name, method in REFINED.items():
            target = Path(folder) / method
            options = {"method": method, "prior": PRIOR, "replay": replay, "output": target}
            given = {**options, "steps": 2, "force": True}  # weights change, and nothing else
            assert refine([start], model=MODEL, **given).record.acted
            potentials[name] = load_model(str(target / "model"))
        for potential in potentials.values():
            cost(potential, start, 5, checked=True)  # warm
        times: dict[str, list[float]] = {name: [] for name in potentials}
        for repeat in range(repeats):
            names = list(potentials) if repeat % 2 else list(potentials)[::-1]
            for name in names:
                times[name].append(cost(potentials[name], start, steps, checked=True)[0])
    plain = np.array(times.pop("plain"))
    found = {
        name: {**spread(np.array(each) / plain), "fastest": min(each) / float(plain.min())}
        for name, each in times.items()
    }
    return {"formula": start.get_chemical_formula(), "ratios": found}


def table(content: dict[str, Any]) -> str:
    """Markdown."""

    def percent(value: dict[str, float]) -> str:
        return "{median:.1%} ({low:.1%} to {high:.1%})".format(**value)

    heads = ("8 copies of", "checks", "ms per step", "share of the checks")
    heads += ("whole run, on against off",)
    lines = ["| " + " | ".join(heads) + " |", "|---" * len(heads) + "|"]
    for name, rows in (("default", content["checks"]), ("prior, profile too", content["watched"])):
        for row in rows:
            cells = [f"{row['formula']}, {row['n_atoms']} atoms", name, f"{row['ms_per_step']:.0f}"]
            cells += [percent(row["share"]), percent(row["difference_of_the_whole"])]
            lines.append("| " + " | ".join(cells) + " |")
    heads = ("model", "CPU time against the plain model's", "fastest against fastest")
    lines += ["", "| " + " | ".join(heads) + " |", "|---" * len(heads) + "|"]
    for name, ratio in content["refined"]["ratios"].items():
        cell = "{median:.3f} ({low:.3f} to {high:.3f})".format(**ratio)
        lines.append(f"| {name} | {cell} | {ratio['fastest']:.3f} |")
    return "\n".join(lines) + "\n"


def main() -> None:
    """Measure, and write the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--steps", type=int, default=40)
    arguments = parser.parse_args()
    limit_threads()
    repeats, steps = arguments.repeats, arguments.steps
    small, large = alkane(5), alkane(20)
    content = {
        "command": f"python benchmarks/simulation/cost.py --repeats {repeats} --steps {steps}",
        "checks": [
            checks_cost(small, repeats, steps),
            checks_cost(large, repeats, steps // 4),
        ],
        "watched": [checks_cost(small, 1, WATCHED_STEPS, watching())],
        "refined": refined_cost(small, 8 * repeats, 5),
    }
    write_json(HERE / "cost.json", content)
    write_text(HERE / "cost.md", table(content))
    print(table(content))


if __name__ == "__main__":
    main()
