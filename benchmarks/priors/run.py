"""How the gain of a correction falls with the quality of the prior.

The supervised models of a task get a head for each of several priors, down to random numbers,
fitted without a reference label and without moving the representation (``retrofit``, heads
alone), and are corrected by the cautious rule. So the plain model is the same in every row. Beside
it stands whether farfield would act at all where labelled training structures are given too
(``--replay``), on which it checks the prior and its head first.

Usage: ``python benchmarks/priors/run.py [--task md17] [--seeds 0 1 2] [--folder build/priors]``.
Models and results that lie in the folder are not made again. The task ``md17`` needs
FARFIELD_DATA. Writes ``TASK.json`` and ``TASK.md`` beside this script.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np

from farfield.benchmarks.bench import Bench
from farfield.benchmarks.heads import compare_heads
from farfield.benchmarks.results.metrics import structure_force_mae
from farfield.benchmarks.scripts import open_zoos, write_study
from farfield.benchmarks.study import CONTROL
from farfield.benchmarks.zoo import Recipe, Zoo
from farfield.files import write_json
from farfield.potentials import Prediction
from farfield.priors import load_prior
from farfield.refinement import Correction
from farfield.refinement.checked import doubted
from farfield.structures import require_labels, without_labels

HERE = Path(__file__).parent
PRIORS = ("gfn2", "gfn1", "gfnff", "uff", "gfn2+noise-0.3", "lj", "noise-1")


def run(zoo: Zoo, seed: int, spec: str, folder: Path) -> dict[str, Any]:
    """Errors (eV/Å) on each set: of the plain model, the prior, and the corrected model."""
    path = folder / "results" / zoo.task.name / f"seed-{seed}" / f"{spec}.json"
    if path.exists():
        return dict(json.loads(path.read_text(encoding="utf-8")))
    prior = load_prior(spec)
    model = zoo.model(Recipe("retrofit-head", seed, prior=spec))
    found: dict[str, Any] = {
        "learned": 1.0
        - (model.metadata["residual_rms_eV_per_A"] / model.metadata["prior_rms_eV_per_A"]) ** 2
    }
    for title, selections in {CONTROL: zoo.task.control, **zoo.task.shifted}.items():
        structures = zoo.task.structures(selections)
        reference = require_labels(structures, purpose="judging")
        bare = without_labels(structures)
        refined = Correction(prior, cache=folder / "cache", spec=spec).refine(model, bare)
        cheap = [
            Prediction(labels.energy or 0.0, labels.known_forces)
            for labels in zoo.prior_labels(bare, prior)
        ]
        predicted = {
            "plain": model.predict(bare),
            "prior": cheap,
            "corrected": refined.potential.predict(bare),
        }
        found[title] = {
            **{k: float(np.mean(structure_force_mae(p, reference))) for k, p in predicted.items()},
            "acted": refined.record.acted,
            "beta": refined.record.figures.get("β, mean", 0.0) if refined.record.acted else 0.0,
            "reasons": refined.record.reasons,
        }
    write_json(path, found)
    print(zoo.task.name, seed, spec, {k: v for k, v in found.items() if k == "learned"}, flush=True)
    return found


def doubt(zoo: Zoo, seed: int, spec: str) -> str | None:
    """Why the prior would not be followed with the labelled training structures at hand."""
    prior = load_prior(spec)
    return doubted(zoo.model(Recipe("retrofit-head", seed, prior=spec)), prior, zoo.training, ())


def alike(zoo: Zoo, seed: int, spec: str, folder: Path) -> float:
    """Correlation of the two heads' errors on training structures."""
    bench = Bench(zoo, seed, folder / "cache")
    known = [atoms for atoms in zoo.training if len(atoms) > 1]
    return compare_heads(bench, "retrofit-head", known, spec)["correlation"]


def table(zoo: Zoo, results: dict[str, list[dict[str, Any]]]) -> str:
    """Change of the force MAE by the correction, mean over the seeds (lowest to highest)."""
    sets = [CONTROL, *zoo.task.shifted]
    heads = ["prior", "learned by its head", "heads' errors alike in training"]
    heads += ["acts where training labels are at hand"]
    heads += [f"{name.replace('_', ' ')}: prior alone, change, β" for name in sets]
    lines = ["| " + " | ".join(heads) + " |", "|---" * len(heads) + "|"]
    for spec, seeds in results.items():
        cells = [spec, f"{100 * np.mean([seed['learned'] for seed in seeds]):.0f} %"]
        cells += [f"{np.mean([seed['alike'] for seed in seeds]):.2f}"]
        cells += [f"{sum(seed['doubt'] is None for seed in seeds)} of {len(seeds)}"]
        for name in sets:
            changes = [100 * (s[name]["corrected"] / s[name]["plain"] - 1) for s in seeds]
            alone = 1000 * np.mean([seed[name]["prior"] for seed in seeds])
            beta = np.mean([seed[name]["beta"] for seed in seeds])
            spread = f"{np.mean(changes):+.0f} % ({min(changes):+.0f} to {max(changes):+.0f})"
            cells.append(f"{alone:.0f} meV/Å, {spread}, {beta:.2f}")
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def main() -> None:
    """Run what is missing, and write the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--task", default="md17")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--priors", nargs="+", default=list(PRIORS))
    parser.add_argument("--folder", type=Path, default=Path("build/priors"))
    arguments = parser.parse_args()
    for zoo in open_zoos([arguments.task], arguments.folder):
        results = {
            spec: [
                run(zoo, seed, spec, arguments.folder)
                | {
                    "doubt": doubt(zoo, seed, spec),
                    "alike": alike(zoo, seed, spec, arguments.folder),
                }
                for seed in arguments.seeds
            ]
            for spec in arguments.priors
        }
        command = f"python benchmarks/priors/run.py --task {arguments.task}"
        content = {"seeds": arguments.seeds, "results": results}
        write_study(HERE / arguments.task, command, content, table(zoo, results))


if __name__ == "__main__":
    main()
