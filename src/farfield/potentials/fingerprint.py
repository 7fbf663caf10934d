"""A short hash that tells one model from another."""

from __future__ import annotations

import hashlib

from farfield.potentials.contract import Potential
from farfield.potentials.trainable import TrainablePotential


def fingerprint(potential: Potential) -> str:
    """Hash a model's cutoff and weights; of a black box, all that is known is its name."""
    digest = hashlib.sha256(f"{potential.name} {potential.cutoff}".encode())
    if isinstance(potential, TrainablePotential):
        for key, value in sorted(potential.state().items()):
            digest.update(key.encode())
            digest.update(value.cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()[:16]
