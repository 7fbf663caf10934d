"""What the checks of a simulation cost, and what a refined model costs beside the plain one.

The shipped model ``embedded`` runs Langevin dynamics of 8 copies of pentane (17 atoms) and of
icosane (62 atoms), with the default checks and without any, in turns; then the plain model, one
after test-time training and one distilled, in turns. What is compared is the CPU time of this
process on one thread, since the machine may be busy with other work. Beside the difference,
which is small against its spread, the time inside the checks is measured itself.

A run begins with a look at the start, which is counted with the others: in a long run the
checks cost less than here. With prior and profile the small case alone is run.

Usage: ``python benchmarks/simulation/cost.py [--repeats 4] [--steps 40]``. Writes ``cost.json``
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
from farfield.simulation import Check, Job, SimulationSettings, group
from farfield.threads import limit_threads

HERE = Path(__file__).parent
REPLICAS, TEMPERATURE, PRIOR, MODEL = 8, 300.0, "gfn2", "embedded"
REFINED = {"test-time training": "ttt", "distilled": "distil"}
WATCHED_STEPS = 200  # the prior and the shift look every 100
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


class Timed(Check):
    """A check, and the CPU seconds that all of them took."""

    seconds = 0.0

    def __init__(self, check: Check) -> None:
        self._check = check
        self.name, self.stride, self.stops = check.name, check.stride, check.stops

    def begin(self, frame: Any) -> None:
        self._timed(self._check.begin, frame)

    def look(self, frame: Any) -> Any:
        return self._timed(self._check.look, frame)

    def state(self) -> dict[str, Any]:
        return self._check.state()

    @staticmethod
    def _timed(function: Any, frame: Any) -> Any:
        begin = time.thread_time()
        found = function(frame)
        Timed.seconds += time.thread_time() - begin
        return found


def seconds(
    potential: Potential,
    start: Atoms,
    steps: int,
    kind: str,
    watch: dict[str, Any] | None = None,
) -> float:
    """CPU time of a run, s; ``kind`` of checks is ``default``, ``timed`` or ``none``."""
    settings = SimulationSettings(
        temperature=TEMPERATURE, duration=5e-4 * steps, replicas=REPLICAS, stride=20
    )
    made = group.checks_of
    kinds = {
        "default": made,
        "timed": lambda *given: [Timed(check) for check in made(*given)],
        "none": lambda *given: [],
    }
    with tempfile.TemporaryDirectory() as folder:
        job = Job(potential, None, [start], settings, Path(folder), "cost", **(watch or {}))
        with patch.object(group, "checks_of", kinds[kind]):
            begin = time.process_time()
            found = group.run_group(job, list(range(REPLICAS)), lambda step, alive: None)
            taken = time.process_time() - begin
    assert all(outcome.completed for outcome in found.outcomes), found.outcomes
    return taken


def spread(values: Sequence[float]) -> dict[str, float]:
    """Median, smallest and largest."""
    return {"median": float(np.median(values)), "least": min(values), "most": max(values)}


def checks_cost(start: Atoms, repeats: int, steps: int) -> dict[str, Any]:
    """The share of CPU time that checks take."""
    potential = load_model(MODEL)
    seconds(potential, start, 5, "none")  # warm
    shares, inside = [], []
    for repeat in range(repeats):
        order = ("default", "none") if repeat % 2 else ("none", "default")
        taken = {kind: seconds(potential, start, steps, kind) for kind in order}
        shares.append(taken["default"] / taken["none"] - 1.0)
        Timed.seconds = 0.0
        whole = seconds(potential, start, steps, "timed")
        inside.append(Timed.seconds / whole)
    return {
        "formula": start.get_chemical_formula(),
        "n_atoms": len(start),
        "ms_per_step": 1e3 * taken["none"] / steps,
        "share_by_difference": spread(shares),
        "share_inside_checks": spread(inside),
    }


def watch_cost(start: Atoms) -> dict[str, Any]:
    """The same with the prior and the profile, which look every 100 steps."""
    potential = load_model(MODEL)
    known = profile(read(structures_file("train"))[:PROFILED], model=MODEL)
    watch = {"prior": load_prior(PRIOR), "profile": known, "profiled": potential}
    Timed.seconds = 0.0
    whole = seconds(potential, start, WATCHED_STEPS, "timed", watch)
    formula = start.get_chemical_formula()
    return {"formula": formula, "steps": WATCHED_STEPS, "share_inside": Timed.seconds / whole}


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
            seconds(potential, start, 5, "none")  # warm
        ratios: dict[str, list[float]] = {name: [] for name in potentials if name != "plain"}
        for repeat in range(repeats):
            names = list(potentials) if repeat % 2 else list(potentials)[::-1]
            taken = {name: seconds(potentials[name], start, steps, "none") for name in names}
            for name in ratios:
                ratios[name].append(taken[name] / taken["plain"])
    found = {name: spread(values) for name, values in ratios.items()}
    return {"formula": start.get_chemical_formula(), "ratios": found}


def table(content: dict[str, Any]) -> str:
    """Markdown."""

    def percent(value: dict[str, float]) -> str:
        return " ({least:.1%} to {most:.1%})".join(["{median:.1%}", ""]).format(**value)

    heads = ("8 copies of", "ms per step", "checks on against off", "time inside the checks")
    lines = ["| " + " | ".join(heads) + " |", "|---" * len(heads) + "|"]
    for row in content["checks"]:
        cells = [f"{row['formula']}, {row['n_atoms']} atoms", f"{row['ms_per_step']:.0f}"]
        cells += [percent(row["share_by_difference"]), percent(row["share_inside_checks"])]
        lines.append("| " + " | ".join(cells) + " |")
    watched = content["watched"]
    lines += ["", f"{watched['formula']} with a prior and a profile too: inside the checks "]
    lines[-1] += f"{watched['share_inside']:.1%} of the time of {watched['steps']} steps."
    lines += ["", "| model | CPU time against the plain model's |", "|---|---|"]
    for name, ratio in content["refined"]["ratios"].items():
        cell = "{median:.3f} ({least:.3f} to {most:.3f})".format(**ratio)
        lines.append(f"| {name} | {cell} |")
    return "\n".join(lines) + "\n"


def main() -> None:
    """Measure, and write the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=4)
    parser.add_argument("--steps", type=int, default=40)
    arguments = parser.parse_args()
    limit_threads()
    repeats, steps = arguments.repeats, arguments.steps
    small, large = alkane(5), alkane(20)
    content = {
        "command": f"python benchmarks/simulation/cost.py --repeats {repeats} --steps {steps}",
        "checks": [
            checks_cost(start, repeats, size)
            for start, size in ((small, steps), (large, steps // 4))
        ],
        "watched": watch_cost(small),
        "refined": refined_cost(small, 2 * repeats, steps // 2),
    }
    write_json(HERE / "cost.json", content)
    write_text(HERE / "cost.md", table(content))
    print(table(content))


if __name__ == "__main__":
    main()
