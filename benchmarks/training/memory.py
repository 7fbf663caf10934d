"""What a training step gains where glibc keeps freed memory, as farfield's commands let it.

The same steps of the embedded model in two processes, one of which keeps its memory while the other
does not, in turn; ratios within a round.

Usage: ``python benchmarks/training/memory.py [--rounds 7]``. One thread; CPU time of the process.
Writes ``memory.json`` and ``memory.md`` beside this script. Linux with glibc.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import torch

from farfield import embedded
from farfield.benchmarks.provenance import hardware, versions
from farfield.files import write_json, write_text
from farfield.memory import keep_freed_memory
from farfield.potentials import require_trainable
from farfield.refinement import load_model
from farfield.structures import read

HERE = Path(__file__).parent
SIZES = (8, 16, 32)  # structures of a batch
STEPS = 6
WAYS = ("kept", "given back")


def measure(way: str) -> dict[str, float]:
    """CPU milliseconds of a step, by batch size, in a process that did nothing else."""
    torch.set_num_threads(1)
    if way == WAYS[0]:
        keep_freed_memory()
    model = require_trainable(load_model("embedded"), "the benchmark")
    for parameter in model.representation_parameters().values():
        parameter.requires_grad_(True)
    molecules = [atoms for atoms in read(embedded.structures_file("train")) if len(atoms) > 1]
    found = {}
    for size in SIZES:
        batch = model.batch(molecules[:size], model.heads[0])

        def step(batch: object = batch) -> None:
            model.forward(batch, training=True).forces.pow(2).mean().backward()

        step()
        step()
        start = time.process_time()
        for _ in range(STEPS):
            step()
        found[str(size)] = 1000 * (time.process_time() - start) / STEPS
    return found


def main() -> None:
    """Measure in turn, and write both files."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--way", choices=WAYS, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.way:
        print(json.dumps(measure(arguments.way)))
        return
    rounds: list[dict[str, dict[str, float]]] = []
    for _ in range(arguments.rounds):
        rounds.append({})
        for way in WAYS:
            words = [sys.executable, "-W", "ignore", __file__, "--way", way]
            done = subprocess.run(words, capture_output=True, text=True, check=True)
            rounds[-1][way] = json.loads(done.stdout)
    lines = ["| structures in a batch | kept, ms | given back, ms | ratio |", "|---|---|---|---|"]
    for size in map(str, SIZES):
        kept, given = ([one[way][size] for one in rounds] for way in WAYS)
        ratios = np.divide(kept, given)
        lines.append(
            f"| {size} | {np.median(kept):.0f} | {np.median(given):.0f} | "
            f"{np.median(ratios):.2f} ({ratios.min():.2f} to {ratios.max():.2f}) |"
        )
    content = {
        "command": "python benchmarks/training/memory.py",
        "versions": versions(),
        "hardware": hardware(),
        "ms_per_step": rounds,
    }
    write_json(HERE / "memory.json", content)
    text = "\n".join(lines) + "\n"
    write_text(HERE / "memory.md", text)
    print(text)


if __name__ == "__main__":
    main()
