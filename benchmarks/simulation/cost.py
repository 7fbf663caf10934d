"""What the checks of a simulation cost, and what a refined model costs beside the plain one.

The shipped model ``embedded`` runs Langevin dynamics of 8 copies of pentane (17 atoms) and of
icosane (62 atoms), with the default checks and without any, in turns of ten steps; then the plain
model in one run with one after test-time training and one distilled, which at each step predict
the same structures, in turns. What is compared is the CPU time of this process on one thread,
since the machine may be busy with other work.

The share of the checks is that of the CPU time spent after a step, with checks less without. The
difference between whole steps with and without is given beside it, and is small against its
spread. For the models the plain one is measured twice: what the second differs by is noise. The
operations of torch that a prediction takes are counted too, which no noise reaches.

Usage: ``python benchmarks/simulation/cost.py [--blocks 20] [--steps 300]``. Writes
``cost.json`` and ``cost.md`` beside this script.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, final
from unittest.mock import patch

import numpy as np
import torch
from ase import Atoms

from farfield import load_model, profile, read, refine
from farfield.embedded import structures_file
from farfield.files import write_json, write_text
from farfield.potentials import Potential, Prediction
from farfield.potentials.calculator import PotentialCalculator
from farfield.potentials.wrapped import WrappedPotential
from farfield.priors import load_prior
from farfield.processes import set_up_process
from farfield.simulation import Job, SimulationSettings, group
from farfield.simulation.simulation import Simulation

HERE = Path(__file__).parent
REPLICAS, TEMPERATURE, PRIOR, MODEL = 8, 300.0, "gfn2", "embedded"
REFINED = {"test-time training": "ttt", "distilled": "distil"}
WATCHED = 100  # steps between looks of the prior and of the shift
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


def run(
    potential: Potential,
    start: Atoms,
    steps: int,
    judge: Callable[..., None],
    report: Callable[[int, int], None] = lambda step, alive: None,
    watch: Mapping[str, Any] | None = None,
) -> None:
    """Simulate ``steps`` steps, with another function for what follows each."""
    settings = SimulationSettings(
        temperature=TEMPERATURE, duration=5e-4 * steps, replicas=REPLICAS, stride=10
    )
    with (
        tempfile.TemporaryDirectory() as folder,
        patch.object(Simulation, "judge", judge),
    ):
        job = Job(potential, None, [start], settings, Path(folder), "cost", **(watch or {}))
        found = group.run_group(job, list(range(REPLICAS)), report)
    assert all(outcome.completed for outcome in found.outcomes), found.outcomes


def spread(values: Sequence[float]) -> dict[str, float]:
    """Median and quartiles."""
    low, median, high = np.quantile(values, (0.25, 0.5, 0.75))
    return {"median": float(median), "low": float(low), "high": float(high)}


def checks_cost(
    start: Atoms, blocks: int, block: int, watch: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """The CPU time that checks take: in one run they are on and off in turns.

    A block of steps has one look, its last step. The first two blocks are not counted.
    """
    judge, checks = Simulation.judge, {}
    times: list[float] = []  # at the ends of blocks
    judged = [0.0] * (blocks + 1)

    def timed(self: Simulation, step: int, error: Any) -> None:
        number = (step - 1) // block
        checks.setdefault(self, self.checks)
        self.checks = checks[self] if number % 2 else []
        begin = time.thread_time()
        judge(self, step, error)
        judged[number] += time.thread_time() - begin
        self.checks = checks[self]

    def report(step: int, alive: int) -> None:
        if step % block == 0:
            times.append(time.process_time())

    run(load_model(MODEL), start, block * blocks, timed, report=report, watch=watch)
    taken = np.diff(times)[2:]
    after = np.array(judged)[2:blocks] / taken
    off, on = taken[0::2], taken[1::2]
    return {
        "formula": start.get_chemical_formula(),
        "n_atoms": len(start),
        "steps": block * blocks,
        "ms_per_step": 1e3 * float(np.median(off)) / block,
        "share": spread(after[1::2] - np.median(after[0::2])),
        "on_against_off": spread(on / off - 1.0),
    }


def watching() -> dict[str, Any]:
    """The prior and the profile, which look every 100 steps."""
    known = profile(read(structures_file("train"))[:PROFILED], model=MODEL)
    return {"prior": load_prior(PRIOR), "profile": known, "profiled": load_model(MODEL)}


def operations(potential: Potential, start: Atoms) -> dict[str, int]:
    """How often a prediction calls each operation of torch."""
    with torch.profiler.profile(activities=[torch.profiler.ProfilerActivity.CPU]) as seen:
        potential.predict([start] * REPLICAS)
    return {each.key: each.count for each in seen.key_averages() if each.key.startswith("aten::")}


@final
class InTurns(WrappedPotential):
    """The plain model, which at each call lets all models predict, in another order each time.

    Their CPU times stand in ``times``: what one call took, all in the same state of the machine.
    """

    def __init__(self, models: Mapping[str, Potential]) -> None:
        super().__init__(models["plain"])
        self.models = dict(models)
        self.times: dict[str, list[float]] = {name: [] for name in models}

    @property
    def name(self) -> str:
        return self.base.name

    def predict(self, structures: Sequence[Atoms], head: str | None = None) -> list[Prediction]:
        names = list(self.models)
        first = len(self.times["plain"]) % len(names)
        found = {}
        for name in names[first:] + names[:first]:
            begin = time.process_time()
            found[name] = self.models[name].predict(structures, head)
            self.times[name].append(time.process_time() - begin)
        return found["plain"]

    def calculator(self, head: str | None = None) -> PotentialCalculator:
        return PotentialCalculator(self, self.main_head(head))


def refined_cost(start: Atoms, steps: int) -> dict[str, Any]:
    """CPU time of the force calls of refined models, in one run, in units of the plain model's."""
    replay = read(structures_file("train"))[:PROFILED]
    with tempfile.TemporaryDirectory() as folder:
        potentials = {"plain": load_model(MODEL), "plain again": load_model(MODEL)}
        for name, method in REFINED.items():
            target = Path(folder) / method
            options = {"method": method, "prior": PRIOR, "replay": replay, "output": target}
            given = {**options, "steps": 2, "force": True}  # weights change, and nothing else
            assert refine([start], model=MODEL, **given).record.acted
            potentials[name] = load_model(str(target / "model"))
        turns = InTurns(potentials)
        run(turns, start, steps, Simulation.judge)
        done = {name: operations(potential, start) for name, potential in potentials.items()}
    times = {name: np.array(each[len(potentials) :]) for name, each in turns.times.items()}
    plain, generator = times["plain"], np.random.default_rng(0)
    drawn = generator.integers(len(plain), size=(2000, len(plain)))
    rows: dict[str, Any] = {}
    for name, each in times.items():
        if name != "plain":
            ratios = np.median(each[drawn], axis=1) / np.median(plain[drawn], axis=1)
            low, high = np.quantile(ratios, (0.025, 0.975))
            rows[name] = {
                "median": float(np.median(each) / np.median(plain)),
                "low": float(low),
                "high": float(high),
                "same_operations": done[name] == done["plain"],
            }
    return {
        "formula": start.get_chemical_formula(),
        "calls_each": len(plain),
        "ms_per_call": {name: spread(1e3 * each) for name, each in times.items()},
        "against_plain": rows,
    }


def table(content: dict[str, Any]) -> str:
    """Markdown."""

    def percent(value: dict[str, float]) -> str:
        return "{median:.1%} ({low:.1%} to {high:.1%})".format(**value)

    heads = ("8 copies of", "checks", "ms per step", "share of the checks")
    heads += ("blocks of steps with checks against without",)
    lines = ["| " + " | ".join(heads) + " |", "|---" * len(heads) + "|"]
    for name, rows in (("default", content["checks"]), ("prior, profile too", content["watched"])):
        for row in rows:
            cells = [f"{row['formula']}, {row['n_atoms']} atoms", name, f"{row['ms_per_step']:.0f}"]
            cells += [percent(row["share"]), percent(row["on_against_off"])]
            lines.append("| " + " | ".join(cells) + " |")
    heads = ("CPU time of a force call against the plain model's", "median", "95 % interval")
    heads += ("same operations",)
    lines += ["", "| " + " | ".join(heads) + " |", "|---" * len(heads) + "|"]
    for name, row in content["refined"]["against_plain"].items():
        same = "yes" if row["same_operations"] else "no"
        interval = f"{row['low']:.3f} to {row['high']:.3f}"
        lines.append("| " + " | ".join((name, f"{row['median']:.3f}", interval, same)) + " |")
    return "\n".join(lines) + "\n"


def main() -> None:
    """Measure, and write the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--blocks", type=int, default=20, help="of 10 steps, half with checks")
    parser.add_argument("--steps", type=int, default=300, help="of the run of all models")
    arguments = parser.parse_args()
    set_up_process()
    blocks, steps = arguments.blocks, arguments.steps
    small, large = alkane(5), alkane(20)
    content = {
        "command": f"python benchmarks/simulation/cost.py --blocks {blocks} --steps {steps}",
        "checks": [checks_cost(small, blocks, 10), checks_cost(large, blocks // 2, 10)],
        "watched": [checks_cost(small, 4, WATCHED, watching())],
        "refined": refined_cost(small, steps),
    }
    write_json(HERE / "cost.json", content)
    write_text(HERE / "cost.md", table(content))
    print(table(content))


if __name__ == "__main__":
    main()
