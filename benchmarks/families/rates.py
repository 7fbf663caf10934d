"""Which learning rate each family of models is trained at in ``farfield bench``.

Each is trained on four fifths of the embedded training set, the reference alone, at several rates
and judged on the fifth that is held out: no test set is looked at. The rates that err least are in
the mode ``standard``.

Usage: ``python benchmarks/families/rates.py [--families mace ...] [--epochs 40] [--seeds 0]``.
Writes ``rates.json`` and ``rates.md`` beside this script, to which a run adds.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from ase import Atoms

from farfield import embedded
from farfield.benchmarks.families import FAMILIES, load_family
from farfield.benchmarks.provenance import hardware, versions
from farfield.files import write_json, write_text
from farfield.potentials.create import create
from farfield.processes import set_up_process
from farfield.structures import folds, read
from farfield.training import TrainingSettings
from farfield.training.at_once import at_once
from farfield.training.loop import force_mae
from farfield.training.supervised import supervised

HERE = Path(__file__).parent
RESULTS = HERE / "rates.json"
RATES = (0.002, 0.005, 0.01, 0.02)
PARTS = 5


def judged(name: str, rate: float, epochs: int, seed: int, parts: tuple[list[Atoms], ...]) -> float:
    """Force MAE of the trained model on the held-out structures, eV/Å."""
    family = load_family(name)
    given = {**family.training, "epochs": epochs, "seed": seed, "learning_rate": rate}
    data, held_out = map(supervised, parts)
    model = create(
        family.architecture,
        family.settings,
        structures=data.structures,
        heads=data.energies,
        scales=data.scales,
        seed=seed,
    )
    at_once(model, data, TrainingSettings(**given))
    return force_mae(model, held_out.samples)


def split() -> tuple[list[Atoms], list[Atoms]]:
    """What is trained on and what is held out, isolated atoms in both."""
    known = read(embedded.structures_file("train"))
    alone = read(embedded.structures_file("isolated_atoms"))
    held = set(folds(len(known), PARTS, 0)[0])
    trained = [atoms for place, atoms in enumerate(known) if place not in held]
    return [*trained, *alone], [*(known[place] for place in sorted(held)), *alone]


def table(found: dict[str, dict[str, dict[str, float]]]) -> str:
    """Markdown: force MAE (meV/Å) of each family at each rate, the mean over the seeds."""
    rates = sorted({rate for rates in found.values() for rate in rates}, key=float)
    lines = ["| family | " + " | ".join(rates) + " |", "|---" * (1 + len(rates)) + "|"]
    for name, by_rate in found.items():
        means = {r: sum(by_rate[r].values()) / len(by_rate[r]) for r in rates if r in by_rate}
        best = min(means, key=lambda rate: means[rate])
        cells = [f"{1000 * means[r]:.0f}{' *' if r == best else ''}" for r in rates if r in means]
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def main() -> None:
    """Run what is missing, and write both files."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--families", nargs="+", default=list(FAMILIES), choices=list(FAMILIES))
    parser.add_argument("--epochs", type=int, default=40)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    arguments = parser.parse_args()
    set_up_process()
    known: dict[str, Any] = {}
    if RESULTS.exists():
        known = json.loads(RESULTS.read_text(encoding="utf-8"))
    found = known["force_mae_eV_per_A"] if known.get("epochs") == arguments.epochs else {}
    parts = split()
    for name in arguments.families:
        for rate in RATES:
            seeds = found.setdefault(name, {}).setdefault(str(rate), {})
            for seed in arguments.seeds:
                if str(seed) not in seeds:
                    seeds[str(seed)] = judged(name, rate, arguments.epochs, seed, parts)
                    print(f"{name} at {rate}: {1000 * seeds[str(seed)]:.0f} meV/Å", flush=True)
        content = {
            "command": f"python benchmarks/families/rates.py --epochs {arguments.epochs}",
            "epochs": arguments.epochs,
            "versions": versions(),
            "hardware": hardware(),
            "force_mae_eV_per_A": found,
        }
        write_json(RESULTS, content)
        write_text(HERE / "rates.md", table(found))


if __name__ == "__main__":
    main()
