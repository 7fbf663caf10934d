"""An adaptation on disk, so that an interrupted one goes on where it was, bit for bit."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, final

import numpy as np
import torch

from farfield.errors import ModelError
from farfield.files import atomic
from farfield.potentials import TrainablePotential, fingerprint
from farfield.refinement.adaptation.settings import AdaptationSettings
from farfield.training import Sample


@final
class AdaptationCheckpoint:
    """The file of one run.

    Parameters
    ----------
    path
        The file; it need not be there.
    run
        What :func:`run_hash` gives: a checkpoint of another run is refused.
    """

    def __init__(self, path: Path, run: str) -> None:
        self._path = path
        self._run = run

    def load(self, device: torch.device) -> dict[str, Any] | None:
        """What was saved last, on ``device``; None when nothing was.

        Raises
        ------
        ModelError
            The file is damaged, or of another run: going on from it would mix the two.
        """
        if not self._path.exists():
            return None
        try:
            content: dict[str, Any] = torch.load(self._path, map_location=device, weights_only=True)
            run = content.pop("run")
        except Exception as error:
            raise ModelError(
                f"{self._path}: not a readable checkpoint: remove it to start anew"
            ) from error
        if run != self._run:
            raise ModelError(
                f"{self._path}: the checkpoint belongs to an adaptation of another model, or with "
                "other structures, labels or settings: remove it, or choose another output"
            )
        return content

    def save(self, content: dict[str, Any]) -> None:
        """Write tensors and plain values, atomically."""
        with atomic(self._path) as partial:
            torch.save({"run": self._run, **content}, partial)


def run_hash(
    start: TrainablePotential, settings: AdaptationSettings, *sets: Sequence[Sample]
) -> str:
    """Hash all that an adaptation depends on: start weights, settings, structures and labels."""
    digest = hashlib.sha256(json.dumps(asdict(settings), sort_keys=True).encode())
    digest.update(fingerprint(start).encode())
    for samples in sets:
        digest.update(f"set of {len(samples)}".encode())
        for sample in samples:
            atoms, labels = sample.atoms, sample.labels
            digest.update(sample.head.encode())
            for values in (atoms.numbers, atoms.positions, atoms.cell.array, atoms.pbc):
                digest.update(np.ascontiguousarray(values).tobytes())
            told = [labels.energy, atoms.info.get("charge"), atoms.info.get("spin")]
            digest.update(repr(told).encode())
            if labels.forces is not None:
                digest.update(np.ascontiguousarray(labels.forces).tobytes())
    return digest.hexdigest()
