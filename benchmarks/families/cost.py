"""What a training step and a force evaluation cost, for each family of models of like size.

Untrained models with the settings of ``farfield bench`` (45 to 55 thousand parameters), the first
eight structures of the embedded training set as one batch; a step is forward, loss, backward and
Adam, of energies and forces. Rounds are interleaved over the families; medians, and ratios to MACE
within a round.

Usage: ``python benchmarks/families/cost.py [--rounds 7]``. One thread; CPU time of the process.
Writes ``cost.json`` and ``cost.md`` beside this script.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from ase import Atoms

from farfield import embedded
from farfield.benchmarks.families import FAMILIES, load_family
from farfield.benchmarks.provenance import hardware, versions
from farfield.files import write_json, write_text
from farfield.potentials import TrainablePotential
from farfield.potentials.create import create
from farfield.processes import set_up_process
from farfield.structures import read, require_labels
from farfield.training import Sample, targets

HERE = Path(__file__).parent
BASELINE = "mace"
BATCH = 8
STEPS = 4


def build(name: str, structures: list[Atoms]) -> TrainablePotential:
    """An untrained model of a family."""
    family = load_family(name)
    energies = {int(number): 0.0 for atoms in structures for number in set(atoms.numbers)}
    model = create(
        family.architecture,
        family.settings,
        structures=structures,
        heads={"reference": energies},
        scales={"reference": 1.0},
        seed=0,
    )
    for parameter in parameters(model):
        parameter.requires_grad_(True)
    return model


def parameters(model: TrainablePotential) -> list[torch.nn.Parameter]:
    """All that is trained."""
    return [*model.representation_parameters().values(), *model.head_parameters().values()]


def stepper(model: TrainablePotential, samples: list[Sample]) -> Callable[[], None]:
    """One training step on a batch that is collated once."""
    batch = model.batch([sample.atoms for sample in samples], "reference")
    wanted = targets(samples, model)
    optimiser = torch.optim.Adam(parameters(model), lr=1e-4)

    def step() -> None:
        optimiser.zero_grad()
        found = model.forward(batch, training=True)
        energy = ((found.energy - wanted.energy) / wanted.counts).pow(2).mean()
        loss = (found.forces - wanted.forces).pow(2).mean() + 0.1 * energy.to(found.forces.dtype)
        loss.backward()
        optimiser.step()

    return step


def clock(work: Callable[[], object], times: int) -> float:
    """CPU seconds of one call, the mean of a few."""
    start = time.process_time()
    for _ in range(times):
        work()
    return (time.process_time() - start) / times


def measure(rounds: int) -> dict[str, Any]:
    """Seconds for each family and round."""
    train = [atoms for atoms in read(embedded.structures_file("train")) if len(atoms) > 1]
    chosen = train[:BATCH]
    labels = require_labels(chosen, energy=True, purpose="the benchmark")
    samples = [Sample(a, "reference", found) for a, found in zip(chosen, labels, strict=True)]
    largest = max(train, key=len)
    models = {name: build(name, train) for name in FAMILIES}
    steps = {name: stepper(model, samples) for name, model in models.items()}
    found: dict[str, Any] = {
        name: {
            "parameters": sum(p.numel() for p in parameters(model)),
            "conservative": model.conservative,
            "step_s": [],
            "forces_s": [],
        }
        for name, model in models.items()
    }
    for place in range(rounds + 1):  # the first compiles and is not counted
        for name, model in models.items():
            step = clock(steps[name], STEPS)
            forces = clock(lambda model=model: model.predict([largest]), STEPS)  # type: ignore[misc]
            if place:
                found[name]["step_s"].append(step)
                found[name]["forces_s"].append(forces)
    return {"atoms_of_the_batch": sum(map(len, chosen)), "atoms": len(largest), "families": found}


def table(found: dict[str, Any]) -> str:
    """The figures as Markdown."""
    rows = found["families"]
    base = rows[BASELINE]
    lines = [
        f"Batch of {BATCH} structures, {found['atoms_of_the_batch']} atoms; a molecule of "
        f"{found['atoms']} atoms. CPU time, one thread; median over rounds, ratio to MACE in the "
        "same round (least to largest).",
        "",
        "| family | parameters | training step, ms | to MACE | forces of a molecule, ms | to MACE "
        "| forces |",
        "|---|---|---|---|---|---|---|",
    ]
    for name, row in rows.items():
        cells = []
        for key in ("step_s", "forces_s"):
            ratio = np.array(row[key]) / np.array(base[key])
            cells += [
                f"{1000 * float(np.median(row[key])):.0f}",
                f"{np.median(ratio):.2f} ({ratio.min():.2f} to {ratio.max():.2f})",
            ]
        kind = "minus the gradient" if row["conservative"] else "direct, **not conservative**"
        lines.append(f"| {name} | {row['parameters']} | {' | '.join(cells)} | {kind} |")
    return "\n".join(lines) + "\n"


def main() -> None:
    """Measure, and write both files."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=7)
    arguments = parser.parse_args()
    set_up_process()
    found = measure(arguments.rounds)
    about = {"versions": versions(), "hardware": hardware()}
    write_json(HERE / "cost.json", {**about, **found})
    write_text(HERE / "cost.md", table(found))
    print(table(found))


if __name__ == "__main__":
    main()
