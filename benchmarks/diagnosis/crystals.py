"""A universal model that this project did not train, diagnosed on crystals and judged by labels.

CHGNet learned from MPtrj. Its profile is made of 240 random structures of MPtrj, 60 more are held
out and calibrate the error to expect; 60 further ones are the control. The shifted sets are random
structures of Alexandria, and alkali crystals, hot and compressed. There is no committee, and no
prior head: of the scores, those remain that any model has.

Usage: ``python benchmarks/diagnosis/crystals.py``, with FARFIELD_DATA naming the folder that holds
``crystals/``. Writes ``crystals.json`` and ``crystals.md`` beside this script.
"""

from __future__ import annotations

import os
import platform
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from ase import Atoms

from farfield import diagnose, load_model, profile
from farfield.benchmarks.tasks.task import DATA_VARIABLE
from farfield.errors import ConfigError
from farfield.files import write_json, write_text
from farfield.processes import set_up_process
from farfield.reports.render import without_nan
from farfield.structures import read
from farfield.verbs.judging import force_errors, judge

HERE = Path(__file__).parent
TRAIN, HELD_OUT, TEST = 240, 60, 60
MOST_ATOMS = 48  # larger crystals are left out, for time
CONTROL = "mptrj_random"
SHIFTED = ("alexandria_random", "alkali_temperature_pressure")


def drawn(name: str, seed: int) -> list[Atoms]:
    """The structures of a file in a seeded order, the large ones and single atoms left out."""
    folder = os.environ.get(DATA_VARIABLE)
    if folder is None:
        raise ConfigError(f"let {DATA_VARIABLE} name the folder that holds crystals/{name}.xyz.gz")
    every = read(Path(folder) / "crystals" / f"{name}.xyz.gz")
    found = [atoms for atoms in every if 1 < len(atoms) <= MOST_ATOMS]
    return [found[place] for place in np.random.default_rng(seed).permutation(len(found))]


def main() -> None:
    """Profile, diagnose, judge, and write both files."""
    set_up_process()
    model = load_model("chgnet")
    known = drawn(CONTROL, seed=0)
    train, held_out = known[:TRAIN], known[TRAIN : TRAIN + HELD_OUT]
    fitted = profile(train, model=model, calibration=held_out)
    sets = {CONTROL: known[TRAIN + HELD_OUT :][:TEST]}
    sets |= {name: drawn(name, seed=0)[:TEST] for name in SHIFTED}
    tests = []
    for name, structures in sets.items():
        for atoms in structures:
            atoms.info["farfield_file"] = name
            tests.append(atoms)
    found = diagnose(tests, profile=fitted, model=model, axes="all")
    judgement = judge(found, tests, model, CONTROL)
    errors = force_errors(model, tests)
    table: dict[str, Any] = {}
    for name in sets:
        inside = [place for place, atoms in enumerate(tests) if atoms.info["farfield_file"] == name]
        verdicts = [found.structures[place].verdict for place in inside]
        estimates = [found.structures[place].error for place in inside]
        expected = [e.expected for e in estimates if e is not None and e.expected is not None]
        table[name] = {
            "n": len(inside),
            "outside": verdicts.count("outside"),
            "edge": verdicts.count("edge"),
            "true_eV_per_A": float(errors[inside].mean()),
            "estimated": len(expected),
            "expected_eV_per_A": float(np.mean(expected)) if expected else None,
            "covered": judgement.covered.get(name),
        }
    content = {
        "command": "python benchmarks/diagnosis/crystals.py",
        "versions": {name: version(name) for name in ("farfield", "torch", "chgnet")}
        | {"python": platform.python_version()},
        "estimate": fitted.header["error_estimate"],
        "sets": table,
        "scores": [
            {"title": s.title, "auroc": vars(s.auroc), "spearman": vars(s.spearman),
             "excess_risk": vars(s.excess_risk)} for s in judgement.scores
        ],
    }  # fmt: skip
    write_json(HERE / "crystals.json", without_nan(content))
    text = page(without_nan(content))
    write_text(HERE / "crystals.md", text)
    print(text)


def page(content: dict[str, Any]) -> str:
    """Both tables."""
    lines = [
        f"CHGNet on crystals, `{content['command']}`. The error to expect: {content['estimate']}.",
        "",
        "| set | n | outside | at the edge | true error, eV/Å | expected, eV/Å (structures that "
        "have it) | below the 90 % bound |",
        "|---|---|---|---|---|---|---|",
    ]
    for name, row in content["sets"].items():
        expected = row["expected_eV_per_A"]
        told = "none" if expected is None else f"{expected:.3f} ({row['estimated']})"
        lines.append(
            f"| {name.replace('_', ' ')} | {row['n']} | {row['outside']} | {row['edge']} | "
            f"{row['true_eV_per_A']:.3f} | {told} | {row['covered'] or ''} |"
        )
    lines += [
        "",
        "| score | AUROC, worst tenth of errors | Spearman | excess risk (0 best, 1 chance) |",
        "|---|---|---|---|",
    ]
    rows = sorted(content["scores"], key=lambda row: -(row["spearman"]["value"] or 0.0))
    for row in rows:
        cells = [interval(row[name]) for name in ("auroc", "spearman", "excess_risk")]
        lines.append(f"| {row['title'].lower()} | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def interval(row: dict[str, Any]) -> str:
    """Value and 95 % bootstrap interval."""
    if row["value"] is None or row["low"] is None:
        return "same for all"
    return f"{row['value']:.2f} ({row['low']:.2f} to {row['high']:.2f})"


if __name__ == "__main__":
    main()
