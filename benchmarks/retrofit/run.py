"""Which structures a retrofit needs, and how few.

The supervised models of a task get a head for the prior, fitted to few or many unlabelled
structures: of the training set, drawn at random or the farthest from each other by the model's
features, or of the very sets that they are then judged on (the halves that are not judged).
However few, they get the same number of gradient steps. Then the models are corrected by the
cautious rule, as ``farfield refine --method correction`` does.

Usage: ``python benchmarks/retrofit/run.py [--task md17] [--seeds 0 1 2] [--updates all head]
[--folder build/retrofit]``. Models and results that lie in the folder are not made again. The
task ``md17`` needs FARFIELD_DATA. Writes ``TASK.json`` and ``TASK.md`` beside this script.
"""

from __future__ import annotations

import argparse
import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from ase import Atoms

from farfield.benchmarks.results.metrics import structure_force_mae
from farfield.benchmarks.scripts import open_zoos, write_study
from farfield.benchmarks.study import CONTROL
from farfield.benchmarks.zoo import Recipe, Zoo
from farfield.files import write_json
from farfield.potentials import TrainablePotential
from farfield.refinement import Correction
from farfield.shifts.remembered.coreset import farthest
from farfield.structures import halves, require_labels, without_labels
from farfield.training import TrainingSettings
from farfield.training.retrofit import retrofit

HERE = Path(__file__).parent
STEPS, BATCH = 320, 16
Source = Literal["random", "farthest", "test"]


@dataclass(frozen=True)
class Choice:
    """So many structures, and where they come from."""

    source: Source
    count: int

    @property
    def title(self) -> str:
        """For the table."""
        of = {"random": "of training, at random", "farthest": "of training, far apart"}
        return f"{self.count} {of.get(self.source, 'of the unseen sets')}"


CHOICES = (
    *(Choice("random", count) for count in (5, 15, 40, 120)),
    Choice("farthest", 15),
    Choice("test", 15),
)


def structures_of(
    zoo: Zoo, choice: Choice, model: TrainablePotential, seed: int
) -> tuple[list[Atoms], list[Atoms]]:
    """The chosen structures, and an isolated atom of each element, without labels."""
    alone = [Atoms([number]) for number in sorted(model.species or ())]
    known = [atoms for atoms in without_labels(zoo.training) if len(atoms) > 1]
    if choice.source == "test":
        known = [
            atoms
            for name in zoo.task.unseen_molecules
            for atoms in without_labels(halves(zoo.task.structures(zoo.task.sets[name]), seed)[0])
        ]
    if choice.source == "farthest":
        features = [one.features for one in model.predict(known)]
        means = np.array([each.mean(axis=0) for each in features if each is not None])
        places = farthest(means.astype(np.float32), choice.count)
    else:
        drawn = np.random.default_rng(seed).permutation(len(known))
        places = [int(place) for place in drawn[: choice.count]]
    return [known[place] for place in places], alone


def run(zoo: Zoo, seed: int, choice: Choice, update: str, folder: Path) -> dict[str, Any]:
    """Errors (eV/Å) on the unseen sets and on the control: plain, retrofitted, and corrected."""
    name = f"{update}-{choice.source}-{choice.count}"
    path = folder / "results" / zoo.task.name / f"seed-{seed}" / f"{name}.json"
    if path.exists():
        return dict(json.loads(path.read_text(encoding="utf-8")))
    base = zoo.model(Recipe("supervised", seed))
    chosen, alone = structures_of(zoo, choice, base, seed)
    settings = TrainingSettings(update=update, seed=seed, batch_size=BATCH)
    learned = (len(chosen) - max(1, round(settings.held_out * len(chosen)))) * (
        len(base.heads) + 1 if update == "all" else 1
    )
    epochs = math.ceil(STEPS / math.ceil(learned / BATCH))
    settings = settings.model_copy(update={"epochs": epochs}).for_strategy("retrofit")
    model = retrofit(base, zoo.with_prior_labels([*chosen, *alone], zoo.prior), zoo.prior, settings)
    found = {name: judged(zoo, name, base, model, seed, folder) for name in sets(zoo)}
    write_json(path, found)
    print(zoo.task.name, seed, name, json.dumps(found), flush=True)
    return found


def sets(zoo: Zoo) -> Sequence[str]:
    """What is judged on."""
    return (CONTROL, *zoo.task.unseen_molecules)


def judged(
    zoo: Zoo,
    name: str,
    base: TrainablePotential,
    model: TrainablePotential,
    seed: int,
    folder: Path,
) -> dict[str, float]:
    """Force MAE (eV/Å) on the half of a set that nothing was chosen from."""
    structures = halves(zoo.task.structures(zoo.task.sets[name]), seed)[1]
    reference = require_labels(structures, purpose="judging")
    bare = without_labels(structures)
    refined = Correction(zoo.prior, cache=folder / "cache").refine(model, bare)
    potentials = {"plain": base, "retrofitted": model, "corrected": refined.potential}
    return {
        title: float(np.mean(structure_force_mae(potential.predict(bare), reference)))
        for title, potential in potentials.items()
    }


def table(zoo: Zoo, results: dict[str, dict[str, list[dict[str, Any]]]]) -> str:
    """Change of the force MAE against the plain model, mean over the seeds (lowest, highest)."""
    heads = ["retrofitted on", "what moved"]
    heads += [f"{name.replace('_', ' ')}: corrected" for name in sets(zoo)]
    heads += ["control: main head alone"]
    lines = ["| " + " | ".join(heads) + " |", "|---" * len(heads) + "|"]
    for update, choices in results.items():
        for title, seeds in choices.items():
            cells = [title, "all weights" if update == "all" else "the new head"]
            cells += [_change([each[name] for each in seeds], "corrected") for name in sets(zoo)]
            cells += [_change([each[CONTROL] for each in seeds], "retrofitted")]
            lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def _change(entries: Sequence[dict[str, float]], title: str) -> str:
    changes = [100 * (entry[title] / entry["plain"] - 1) for entry in entries]
    return f"{np.mean(changes):+.0f} % ({min(changes):+.0f} to {max(changes):+.0f})"


def main() -> None:
    """Run what is missing, and write the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--task", default="md17")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--updates", nargs="+", choices=["all", "head"], default=["all", "head"])
    parser.add_argument("--folder", type=Path, default=Path("build/retrofit"))
    arguments = parser.parse_args()
    for zoo in open_zoos([arguments.task], arguments.folder):
        results = {
            update: {
                choice.title: [
                    run(zoo, seed, choice, update, arguments.folder) for seed in arguments.seeds
                ]
                for choice in CHOICES
            }
            for update in arguments.updates
        }
        command = f"python benchmarks/retrofit/run.py --task {arguments.task}"
        content = {"seeds": arguments.seeds, "steps": STEPS, "results": results}
        write_study(HERE / arguments.task, command, content, table(zoo, results))


if __name__ == "__main__":
    main()
