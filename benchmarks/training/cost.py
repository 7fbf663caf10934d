"""What a step of test-time training costs, and a whole adaptation to a system of 20 atoms.

Usage: ``nice -n -5 python benchmarks/training/cost.py [--folder build/cost] [--repeats 3]``.
One thread; CPU time of the process, so that other work on the machine counts little; repeats are
interleaved and medians given. Writes ``cost.json`` and ``cost.md`` beside this script.
"""

from __future__ import annotations

import argparse
import cProfile
import pstats
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from ase import Atoms

from farfield import embedded
from farfield.benchmarks.provenance import hardware, versions
from farfield.files import write_json, write_text
from farfield.potentials import TrainablePotential, require_trainable
from farfield.priors import Failure, LabelCache, label, load_prior
from farfield.processes import set_up_process
from farfield.refinement import TestTimeSettings, TestTimeTraining, load_model
from farfield.refinement.adaptation.displacements import displaced
from farfield.refinement.objectives import (
    DifferenceObjective,
    PriorObjective,
    ReplayObjective,
    Together,
)
from farfield.refinement.objectives.difference import shifted_labels
from farfield.structures import read, require_labels
from farfield.training import Sample, targets

HERE = Path(__file__).parent
STEPS = (6, 18)  # their difference is what is timed
COPIES = 40
SETTINGS = TestTimeSettings()


def hexane() -> Atoms:
    """All-trans hexane, 20 atoms, at tetrahedral angles."""
    bond, hydrogen, half = 1.53, 1.09, np.deg2rad(109.47 / 2)
    places = [
        np.array([k * bond * np.sin(half), 0.0, (k % 2) * bond * np.cos(half)]) for k in range(6)
    ]
    symbols, positions = ["C"] * 6, list(places)
    for k, place in enumerate(places):
        up = -1.0 if k % 2 == 0 else 1.0
        for side in (-1.0, 1.0):
            aside = np.array([0.0, side * np.sin(half), up * np.cos(half)])
            positions.append(place + hydrogen * aside)
        if k in (0, 5):
            out = np.array([-np.sin(half) if k == 0 else np.sin(half), 0.0, -up * np.cos(half)])
            positions.append(place + hydrogen * out)
    symbols += ["H"] * (len(positions) - 6)
    return Atoms(symbols, positions)


def given(cache: LabelCache) -> tuple[list[Atoms], list[Sample], list[Sample]]:
    """Structures to adapt to, with samples of the prior; and of the training set."""
    prior = load_prior("gfn2")
    structures = displaced([hexane()], COPIES, 0.14, seed=0)
    outcomes = label(structures, prior, cache=cache)
    learn = [
        Sample(atoms, prior.name, found)
        for atoms, found in zip(structures, outcomes, strict=True)
        if not isinstance(found, Failure)
    ]
    train = read(embedded.structures_file("train"))
    labels = require_labels(train, energy=True, purpose="replay")
    replay = [Sample(a, "reference", found) for a, found in zip(train, labels, strict=True)]
    return structures, learn, replay


def clock(work: Callable[[], object]) -> float:
    """CPU seconds of this process."""
    start = time.process_time()
    work()
    return time.process_time() - start


def bare(model: TrainablePotential, samples: Sequence[Sample], steps: int) -> None:
    """A training loop by hand on one batch, collated once: forward, loss, backward, Adam.

    The batch is as large as that of a step of test-time training.
    """
    batch = model.batch([s.atoms for s in samples], [s.head for s in samples])
    wanted = targets(samples, model)
    parameters = [*model.representation_parameters().values(), *model.head_parameters().values()]
    for parameter in parameters:
        parameter.requires_grad_(True)
    optimiser = torch.optim.Adam(parameters, lr=1e-4)
    for _ in range(steps):
        optimiser.zero_grad()
        found = model.forward(batch, training=True)
        energy = ((found.energy - wanted.energy) / wanted.counts).pow(2).mean()
        loss = (found.forces - wanted.forces).pow(2).mean() + 0.1 * energy.to(found.forces.dtype)
        loss.backward()
        optimiser.step()


def refined(
    model: TrainablePotential,
    structures: list[Atoms],
    cache: LabelCache,
    settings: TestTimeSettings,
) -> None:
    """Test-time training with replay of the whole training set."""
    train = read(embedded.structures_file("train"))
    TestTimeTraining(load_prior("gfn2"), replay=train, settings=settings, cache=cache).refine(
        model, structures
    )


def losses(model: TrainablePotential, learn: list[Sample], replay: list[Sample]) -> dict[str, Any]:
    """One step's losses and gradients, the two batches apart or as one."""
    parts = [
        PriorObjective(learn, SETTINGS.batch_size),
        DifferenceObjective(model, learn, SETTINGS.batch_size),
        ReplayObjective(replay, SETTINGS.replay_batch_size, 1.0, 0.1),
    ]
    moved = list(model.representation_parameters().values())

    def apart(random: np.random.Generator) -> None:
        terms = torch.stack([part.weight * part.loss(model, random) for part in parts])
        torch.autograd.grad(terms.sum(), moved, allow_unused=True)

    def together(random: np.random.Generator) -> None:
        torch.autograd.grad(Together(parts).loss(model, random), moved, allow_unused=True)

    return {"apart": apart, "together": together}


def top(work: Callable[[], object], count: int = 12) -> list[dict[str, Any]]:
    """The functions that take most time themselves."""
    profiler = cProfile.Profile()
    profiler.runcall(work)
    table = pstats.Stats(profiler).stats  # type: ignore[attr-defined]
    total = sum(row[2] for row in table.values())
    found = sorted(table.items(), key=lambda item: -item[1][2])[:count]
    return [
        {"function": f"{Path(file).name}:{name}", "calls": row[1], "share": row[2] / total}
        for (file, _, name), row in found
    ]


def measure(folder: Path, repeats: int) -> dict[str, Any]:
    """Every figure, in seconds of CPU time."""
    model = require_trainable(load_model("embedded"), "the benchmark")
    with LabelCache(folder / "cache") as cache:
        structures, learn, replay = given(cache)
        size = SETTINGS.batch_size
        mixed = [*learn[:size], *shifted_labels(model, learn[:size])]
        mixed += replay[:: len(replay) // SETTINGS.replay_batch_size][: SETTINGS.replay_batch_size]
        ways = losses(model.clone(), learn, replay)
        quick = replace(SETTINGS, judge_every=1000, force=True)
        times: dict[str, list[float]] = {key: [] for key in ("bare", "ttt", "apart", "together")}
        few, many = STEPS
        bare(model.clone(), mixed, 3)  # the first calls compile
        for repeat in range(repeats):
            ends = [
                clock(lambda n=n: bare(model.clone(), mixed, n))  # type: ignore[misc]
                for n in STEPS
            ]
            times["bare"].append((ends[1] - ends[0]) / (many - few))
            ends = [
                clock(lambda n=n: refined(model, structures, cache, replace(quick, steps=n)))  # type: ignore[misc]
                for n in STEPS
            ]
            times["ttt"].append((ends[1] - ends[0]) / (many - few))
            for key, way in ways.items():
                random = np.random.default_rng(repeat)
                spent = clock(lambda way=way, random=random: [way(random) for _ in range(6)])  # type: ignore[misc]
                times[key].append(spent / 6)
        whole = clock(lambda: refined(model, structures, cache, SETTINGS))
        profiled = top(lambda: refined(model, structures, cache, replace(SETTINGS, steps=10)))
    return {
        "medians_s": {key: float(np.median(values)) for key, values in times.items()},
        "all_s": times,
        "ratio_of_a_step": float(np.median(np.array(times["ttt"]) / np.array(times["bare"]))),
        "adaptation_s": whole,
        "top": profiled,
    }


def table(found: dict[str, Any]) -> str:
    """The figures as Markdown."""
    ms = {key: 1000 * value for key, value in found["medians_s"].items()}
    rows = [
        ("a bare PyTorch training step, its batch collated once", f"{ms['bare']:.0f} ms"),
        ("a step of test-time training", f"{ms['ttt']:.0f} ms"),
        ("their ratio", f"{found['ratio_of_a_step']:.2f}"),
        ("losses and gradients, a batch for each of the three objectives", f"{ms['apart']:.0f} ms"),
        ("the same as one batch for all", f"{ms['together']:.0f} ms"),
        (f"adaptation to {COPIES} structures of hexane (20 atoms), default settings, labelling "
         "apart", f"{found['adaptation_s']:.0f} s"),
    ]  # fmt: skip
    lines = ["| | CPU time, one thread |", "|---|---|", *(f"| {a} | {b} |" for a, b in rows), ""]
    lines += [
        "| function (10 steps, judged at the start and the end) | own share of the time |",
        "|---|---|",
    ]
    lines += [f"| {row['function']} | {100 * row['share']:.0f} % |" for row in found["top"][:8]]
    return "\n".join(lines) + "\n"


def main() -> None:
    """Measure, and write both files."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--folder", type=Path, default=Path("build/cost"))
    parser.add_argument("--repeats", type=int, default=3)
    arguments = parser.parse_args()
    set_up_process()
    found = measure(arguments.folder, arguments.repeats)
    content = {
        "command": "nice -n -5 python benchmarks/training/cost.py",
        "settings": vars(SETTINGS) | {"copies": COPIES, "repeats": arguments.repeats},
        "versions": versions(),
        "hardware": hardware(),
        **found,
    }
    write_json(HERE / "cost.json", content)
    write_text(HERE / "cost.md", table(found))
    print(table(found))


if __name__ == "__main__":
    main()
