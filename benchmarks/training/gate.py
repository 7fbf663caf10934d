"""Cases in which an adaptation must not act, and one in which it must.

Usage: ``python benchmarks/training/gate.py [--folder build/gate] [--cases NAME ...] [--seed 0]``.
The embedded two-head model adapts to one half of a set without labels; the other half, which it
does not see, judges it by the reference. Every case runs with the checks of the prior and, to
show what they are there for, without them. What lies in the folder is not computed again.
Writes ``gate.json`` and ``gate.md`` beside this script.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, final

import numpy as np
from ase import Atoms
from ase.calculators.calculator import Calculator

from farfield import embedded
from farfield.benchmarks.provenance import hardware, versions
from farfield.benchmarks.results.metrics import errors
from farfield.files import write_json, write_text
from farfield.potentials import Potential, require_trainable
from farfield.priors import LabelCache, Prior, load_prior
from farfield.priors.function import FunctionCalculator, Results
from farfield.priors.noise import NoisePrior
from farfield.processes import set_up_process
from farfield.refinement import (
    Correction,
    Distillation,
    TestTimeSettings,
    TestTimeTraining,
    load_model,
)
from farfield.structures import halves, read, require_labels, without_labels
from farfield.verbs.profile import profile as fit_profile

HERE = Path(__file__).parent
ADAPTED = 20  # structures


@final
class Disguised(Prior):
    """Something else under the name and level of theory of another prior."""

    cost: Literal["cheap", "moderate", "costly"] = "moderate"
    elements = None
    periodic = True
    conservative = False

    def __init__(self, shown: Prior, made: Callable[[Calculator, Atoms], Results]) -> None:
        self.name = shown.name
        self.level_of_theory = shown.level_of_theory
        self._shown = shown
        self._made = made

    def calculator(self) -> Calculator:
        inner = self._shown.calculator()
        return FunctionCalculator(lambda atoms: self._made(inner, atoms))


def zero(inner: Calculator, atoms: Atoms) -> Results:
    """No force at all."""
    return {"energy": 0.0, "forces": np.zeros((len(atoms), 3))}


def noise(inner: Calculator, atoms: Atoms) -> Results:
    """Noise of 1 eV/Å and nothing else."""
    found = NoisePrior(1.0).calculator()
    found.calculate(atoms, ["energy", "forces"])
    return dict(found.results)


def charged(inner: Calculator, atoms: Atoms) -> Results:
    """The prior of the cation, for every structure."""
    copy = atoms.copy()
    copy.info["charge"] = 1
    inner.calculate(copy, ["energy", "forces"])
    return dict(inner.results)


@dataclass(frozen=True)
class Case:
    """What is adapted to, and by which prior.

    Attributes
    ----------
    title
        For people.
    structures
        Name of an embedded set.
    made
        What the prior is in truth; None for the right one.
    charge
        Given to the test structures, all of which are neutral.
    profiled
        Whether the profile of the training set is given.
    method
        Name of the refinement.
    acts
        Whether it should act.
    """

    title: str
    structures: str
    made: Callable[[Calculator, Atoms], Results] | None = None
    charge: int = 0
    profiled: bool = False
    method: Literal["ttt", "distil"] = "ttt"
    acts: bool = False


CASES = {
    "right": Case("right prior, unseen molecules", "new_molecules", acts=True),
    "inside-profile": Case("in distribution, profile given", "in_distribution", profiled=True),
    "inside": Case("in distribution, no profile", "in_distribution"),
    "zero": Case("prior of zero forces, unseen molecules", "new_molecules", zero),
    "noise": Case("prior of noise, unseen molecules", "new_molecules", noise),
    "cation-prior": Case("prior at charge +1 everywhere", "new_molecules", charged),
    "cation-inside": Case("structures said to be cations, in distribution", "in_distribution",
                          charge=1),
    "cation": Case("structures said to be cations, unseen molecules", "new_molecules", charge=1),
    "distil-zero": Case("distil: prior of zero forces", "new_molecules", zero, method="distil"),
    "distil-cation-prior": Case("distil: prior at charge +1 everywhere", "new_molecules", charged,
                                method="distil"),
    "distil-cation": Case("distil: structures said to be cations", "new_molecules", charge=1,
                          method="distil"),
}  # fmt: skip


def run(case: Case, *, checked: bool, seed: int, folder: Path) -> dict[str, Any]:
    """One case, with the checks of the prior or without."""
    model = require_trainable(load_model("embedded"), "the study")
    train = read(embedded.structures_file("train"))
    given = read(embedded.structures_file(case.structures))
    learned, judged = halves(given, seed)
    bare = without_labels(learned[:ADAPTED])
    for atoms in bare if case.charge else []:
        atoms.info["charge"] = case.charge
    right = load_prior("gfn2")
    prior = right if case.made is None else Disguised(right, case.made)
    profile = fit_profile(train, model=model, seed=seed) if case.profiled else None
    looked_at = train if checked else None
    place = folder / (case.made.__name__ if case.made else "right")
    settings = TestTimeSettings(seed=seed)
    with LabelCache(place) as cache:
        if case.method == "ttt":
            refined = TestTimeTraining(
                prior, train, profile, settings, cache=cache, checked_on=looked_at
            ).refine(model, bare)
        else:
            teacher = Correction(
                prior, like_training=train, cache=place, checked_on=looked_at or []
            )
            refined = Distillation(teacher, replay=train).refine(model, bare)
    before, after = (mae(potential, judged) for potential in (model, refined.potential))
    return {
        "acted": refined.record.acted,
        "reasons": refined.record.reasons,
        "figures": refined.record.figures,
        "before_eV_per_A": before,
        "after_eV_per_A": after,
        "untouched": refined.potential is model,
        "seconds": refined.record.seconds,
    }


def mae(potential: Potential, structures: Sequence[Atoms]) -> float:
    """Force MAE against the reference, eV/Å."""
    labels = require_labels(structures, purpose="the judgement")
    found = errors(structures, potential.predict(without_labels(structures)), labels)
    return float(found.force_mae.value)


def table(found: dict[str, dict[str, Any]]) -> str:
    """The results as Markdown."""
    heads = ["case", "with the checks", "force MAE, meV/Å", "without them", "force MAE, meV/Å"]
    lines = ["| " + " | ".join(heads) + " |", "|---" * len(heads) + "|"]
    for name, runs in found.items():
        cells = [CASES[name].title]
        for key in ("checked", "unchecked"):
            one = runs.get(key)
            if one is None:
                cells += ["", ""]
                continue
            before, after = (1000 * one[f"{when}_eV_per_A"] for when in ("before", "after"))
            change = f" ({100 * (after / before - 1):+.0f} %)" if one["acted"] else ""
            cells.append("acted" if one["acted"] else "untouched")
            cells.append(f"{before:.0f} → {after:.0f}{change}")
        lines.append("| " + " | ".join(cells) + " |")
    reasons = [
        f"- {CASES[name].title}: {'; '.join(runs['checked']['reasons'][:2])}"
        for name, runs in found.items()
        if "checked" in runs
    ]
    return "\n".join([*lines, "", "Why, with the checks:", "", *reasons]) + "\n"


def main() -> None:
    """Run what is missing, and write both files."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--folder", type=Path, default=Path("build/gate"))
    parser.add_argument("--cases", nargs="+", choices=list(CASES), default=list(CASES))
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", choices=["checked", "unchecked"])
    arguments = parser.parse_args()
    set_up_process()
    found: dict[str, dict[str, Any]] = {}
    for name in arguments.cases:
        for key in ("checked", "unchecked"):
            path = arguments.folder / f"{name}-{key}-{arguments.seed}.json"
            alike = key == "unchecked" and CASES[name].method == "distil"  # takes minutes
            if not path.exists() and not alike and arguments.only in (None, key):
                done = run(
                    CASES[name],
                    checked=key == "checked",
                    seed=arguments.seed,
                    folder=arguments.folder,
                )
                write_json(path, done)
                print(name, key, done["acted"], done["after_eV_per_A"] / done["before_eV_per_A"])
            if path.exists():
                found.setdefault(name, {})[key] = json.loads(path.read_text(encoding="utf-8"))
    content = {
        "command": "python benchmarks/training/gate.py",
        "seed": arguments.seed,
        "structures_adapted_to": ADAPTED,
        "versions": versions(),
        "hardware": hardware(),
        "cases": found,
    }
    write_json(HERE / "gate.json", content)
    write_text(HERE / "gate.md", table(found))
    print(table(found))


if __name__ == "__main__":
    main()
