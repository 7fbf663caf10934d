"""MACE's own multihead fine-tuning, which is allowed labels, as a baseline.

``mace_run_train --multiheads_finetuning True`` gives the model a head for the labelled structures
of the test set, and meanwhile replays the training set on the head that it had.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from ase import Atoms

from farfield.benchmarks.bench import Bench, Contestant
from farfield.benchmarks.contestants.fine_tuning import some_labelled
from farfield.errors import CapabilityError
from farfield.potentials.loading import load_potential
from farfield.structures import write

NEW_HEAD = "Default"  # mace-torch's name for what is fine-tuned; that of the replay is pt_head
STEPS_PER_EPOCH = 5  # of the effort's fine-tuning steps: twenty epochs for a hundred
TIME_LIMIT = 1800.0  # seconds


def mace_multihead(count: int, bench: Bench, structures: Sequence[Atoms]) -> Contestant:
    """The supervised MACE after that command, with so many *labelled* structures of the set.

    Rates, batches and weights are mace-torch's own for this mode. Energies are left out, as those
    of some data have an offset for each molecule. mace-torch keeps a tenth of the labelled
    structures to choose the best epoch by.

    Raises
    ------
    CapabilityError
        The model is no MACE, there are too few labelled structures, or the command failed or
        took longer than half an hour.
    """
    from farfield.potentials.mace import MacePotential

    model = bench.model("supervised")
    if not isinstance(model, MacePotential):
        raise CapabilityError(f"mace-torch cannot fine-tune a {model.name}, only a MACE")
    chosen = some_labelled(count, structures, np.random.default_rng(bench.seed))
    epochs = max(1, bench.effort.fine_tune_steps // STEPS_PER_EPOCH)
    with TemporaryDirectory() as name:
        folder = Path(name)
        model.export(folder / "start.model")
        write(folder / "labelled.extxyz", chosen)
        write(folder / "replay.extxyz", [atoms for atoms in bench.zoo.training if len(atoms) > 1])
        _run(folder, epochs, bench.seed, str(model.dtype).removeprefix("torch."))
        tuned, _ = load_potential(str(folder / "tuned.model"), dtype=model.dtype)
    return Contestant(lambda given: tuned.predict(given, NEW_HEAD))


def _run(folder: Path, epochs: int, seed: int, dtype: str) -> None:
    options = {
        "name": "tuned",
        "foundation_model": "start.model",
        "multiheads_finetuning": True,
        "train_file": "labelled.extxyz",
        "pt_train_file": "replay.extxyz",
        "E0s": "foundation",
        "foundation_model_elements": True,
        "energy_weight": 0.0,
        "max_num_epochs": epochs,
        "default_dtype": dtype,
        "device": "cpu",
        "seed": seed,
        "plot": False,
        "work_dir": ".",
        "model_dir": ".",
    }
    words = [f"--{key}={value}" for key, value in options.items()]
    try:
        done = subprocess.run(
            [sys.executable, "-m", "mace.cli.run_train", *words],
            cwd=folder,
            env=os.environ | {"OMP_NUM_THREADS": "1"},
            capture_output=True,
            text=True,
            timeout=TIME_LIMIT,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise CapabilityError(
            f"mace-torch's fine-tuning did not end within {TIME_LIMIT:.0f} s: take fewer steps"
        ) from None
    if done.returncode != 0 or not (folder / "tuned.model").exists():
        reason = (done.stderr.strip().splitlines() or ["it said nothing"])[-1]
        raise CapabilityError(f"mace-torch's fine-tuning failed: {reason}")
