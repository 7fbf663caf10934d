"""Cost and error of connectivity scores: many small molecules, and one large crystal.

Every case runs in a process of its own, on one thread, for its own peak of memory. Times are
CPU seconds of the process; wall time and the load of the machine stand beside them.

Usage: ``python benchmarks/scale/run.py [CASE ...]``, all cases by default; those that are not
named are kept from ``results.json``. Writes ``results.json`` and ``results.md`` beside this
script. The largest crystal takes about a minute and 8 GB.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from cases import ACCURACY, CASES, SIZES

from farfield.files import write_json, write_text
from farfield.processes import set_up_process

HERE = Path(__file__).parent
PACKAGES = ("numpy", "scipy", "vesin", "ase")


def measured(name: str) -> dict[str, Any]:
    """The result of one case, from a process of its own."""
    command = [sys.executable, __file__, "--alone", name]
    before = os.getloadavg()[0]
    done = subprocess.run(command, stdout=subprocess.PIPE, check=True, text=True)
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return {**found, "load": round(before, 1)}


def exponent(cases: dict[str, Any], what: str) -> float:
    """Slope of the logarithm of a time against that of the number of atoms."""
    rows = [cases[name] for name in SIZES if name in cases]
    sizes, times = [[row[key] for row in rows] for key in ("atoms", what)]
    return float(np.polyfit(np.log(sizes), np.log(times), 1)[0])


def table(content: dict[str, Any]) -> str:
    """The results as Markdown."""
    cases = content["cases"]
    lines = [
        "# Cost and error of connectivity scores",
        "",
        f"`{content['command']}`, one thread, CPU seconds; {content['processor']}; "
        + ", ".join(f"{name} {number}" for name, number in content["versions"].items())
        + ". The machine was shared: the load before each case is given, and a busy "
        "neighbour on the same core raises CPU seconds too.",
        "",
    ]
    if "molecules" in cases:
        lines += molecules(cases["molecules"])
    if "radii" in cases:
        lines += ten_radii(cases["radii"])
    present = [name for name in SIZES if name in cases]
    if present:
        lines += [
            "## One crystal",
            "",
            "Copper at a cutoff of 4.5 Å, atoms displaced by 0.1 Å. The density by 100 Lanczos "
            "steps with 4 random vectors, at every size (by default, small structures get "
            "more), then the Wasserstein-1 distance to 256 densities.",
            "",
            "| atoms | edges | neighbour list | density and distance | in all | wall | memory | "
            "stated error | load |",
            "|---|---|---|---|---|---|---|---|---|",
        ]
        for name in present:
            row = cases[name]
            lines.append(
                f"| {row['atoms']:,} | {row['edges']:,} | {row['list_s']:.2f} s | "
                f"{row['density_s']:.2f} s | {row['all_s']:.2f} s | {row['wall_s']:.1f} s | "
                f"{row['peak_GB']:.2f} GB | {row['error']:.4f} | {row['load']} |"
            )
        if len(present) > 2:
            lines += [
                "",
                f"Time grows as the number of atoms to the power "
                f"{content['exponents']['all_s']:.2f} (neighbour list "
                f"{content['exponents']['list_s']:.2f}, density "
                f"{content['exponents']['density_s']:.2f}).",
            ]
        lines.append("")
    if any(name in cases for name in ACCURACY):
        lines += [
            "## Estimated against exact densities",
            "",
            "Wasserstein-1 distance between the estimate with the default settings and the density "
            "of all eigenvalues, edges weighted. *Stated* is twice the standard error plus the "
            "resolution. *Local* is the median over the atoms of the distance between "
            "densities by clusters and exact ones in the same form.",
            "",
            "| structure | atoms | distance | stated | estimate | all eigenvalues | local | "
            "local, per atom |",
            "|---|---|---|---|---|---|---|---|",
        ]
        for name in ACCURACY:
            if name in cases:
                row = cases[name]
                lines.append(
                    f"| {name} | {row['atoms']} | {row['distance']:.4f} | {row['stated']:.4f} | "
                    f"{row['estimate_s']:.2f} s | {row['exact_s']:.2f} s | {row['local']:.1e} | "
                    f"{row['local_ms']:.2f} ms |"
                )
        lines.append("")
    if "narrow cells" in cases:
        lines += [
            "## Cells of crystals",
            "",
            "A cell stands for its crystal at a mesh of wave vectors. Wasserstein-1 distance of "
            "its density (edges weighted) to the estimated one of a crystal of some 6,000 atoms "
            "made of it (which has the stated error, and is at one wave vector itself), to its "
            "repetition 2 x 2 x 2, and to that with atoms displaced by 0.001 Å, which repeats "
            "nothing; above 1,000 atoms both are estimates. The cost is that of the local "
            "densities of the cell.",
            "",
            "| cell | atoms | cutoff | wave vectors | large crystal | stated | repetition | "
            "displaced repetition | cost |",
            "|---|---|---|---|---|---|---|---|---|",
        ]
        for name, row in cases["narrow cells"]["cells"].items():
            lines.append(
                f"| {name} | {row['atoms']} | {row['cutoff_A']} Å | {row['waves']} | "
                f"{row['distance']:.4f} | {row['stated']:.4f} | {row['repeated']:.0e} | "
                f"{row['hardly_displaced']:.4f} | {row['ms']:.0f} ms |"
            )
        lines.append("")
    return "\n".join(lines)


def molecules(row: dict[str, Any]) -> list[str]:
    """The part on small molecules."""
    lines = [
        "## Molecules of 20 atoms",
        "",
        f"{row['structures']:,} structures in memory, cutoff {row['cutoff']} Å, axes "
        f"{' and '.join(row['axes'])}, a profile of {row['training']} structures; load "
        f"{row['load']}.",
        "",
        "| | structures per second | per structure |",
        "|---|---|---|",
        f"| `observe` and `diagnose` | **{row['per_second']:.0f}** | {row['ms']:.3f} ms |",
        f"| baseline: {row['baseline']} ({row['baseline_structures']} structures) | "
        f"{1000 / row['baseline_ms']:.0f} | {row['baseline_ms']:.3f} ms |",
        "",
        f"{row['baseline_ms'] / row['ms']:.1f} times the baseline; scores equal to "
        f"{row['largest_difference']:.0e}. Where the time goes, per "
        "structure, by the profiler, which slows Python calls (all in the rest) about threefold:",
        "",
        "| part | µs |",
        "|---|---|",
    ]
    lines += [f"| {part} | {time:.0f} |" for part, time in row["parts_us"].items()]
    return [*lines, ""]


def ten_radii(row: dict[str, Any]) -> list[str]:
    """The part on spectra within several radii."""
    least, most = row["radii_A"][0], row["radii_A"][-1]
    return [
        "## Spectra at ten radii",
        "",
        f"The same molecules ({row['structures']:,}), eigenvalues of the plain Laplacian within "
        f"{len(row['radii_A'])} radii from {least:.2f} to {most:.2f} Å, neighbour lists included, "
        "against the procedure published with arXiv 2503.08674, with its default radii, as "
        f"`farfield.benchmarks.radius.cost` re-creates it "
        f"({row['baseline_structures']} of the molecules); load {row['load']}.",
        "",
        "| | per structure |",
        "|---|---|",
        f"| `spectra_within` | {row['ms']:.3f} ms |",
        f"| baseline: published procedure | {row['baseline_ms']:.2f} ms |",
        "",
        f"**{row['times']:.0f} times** the baseline; eigenvalues equal to "
        f"{row['largest_difference']:.0e}.",
        "",
    ]


def processor() -> str:
    """Name of the processor."""
    for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
        if line.startswith("model name"):
            return f"{line.split(':')[1].strip()}, {os.cpu_count()} cores"
    return f"{os.cpu_count()} cores"


def main() -> None:
    """Run the cases and write both files."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("cases", nargs="*", default=list(CASES))
    parser.add_argument("--alone", choices=CASES, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.alone:
        set_up_process()
        print(json.dumps(CASES[options.alone]()))
        return
    path = HERE / "results.json"
    found = {name: measured(name) for name in options.cases}
    old = json.loads(path.read_text(encoding="utf-8"))["cases"] if path.exists() else {}
    content: dict[str, Any] = {
        "command": "python benchmarks/scale/run.py",
        "processor": processor(),
        "versions": {name: version(name) for name in PACKAGES},
        "threads": 1,
        "cases": {**old, **found},
    }
    if sum(name in content["cases"] for name in SIZES) > 2:
        times = ("list_s", "density_s", "all_s")
        content["exponents"] = {what: exponent(content["cases"], what) for what in times}
    write_json(path, content)
    write_text(HERE / "results.md", table(content))


if __name__ == "__main__":
    main()
