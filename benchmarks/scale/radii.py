"""Spectra of small molecules within ten radii, beside the published procedure."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
from molecules import made

from farfield.benchmarks.radius.cost import published_eigenvalues
from farfield.graphs import neighbour_graphs, spectra_within

RADII = np.linspace(3.0, 9.0, 10)  # Å, the default of the published script
STRUCTURES, BASELINE = 2000, 60


def radii() -> dict[str, Any]:
    """Neighbour lists and eigenvalues at all radii; the baseline on fewer of the structures."""
    structures = made(STRUCTURES, seed=2)
    spectra_within(neighbour_graphs(structures[:50], max(RADII)), RADII)  # warm
    start = time.process_time()
    found = spectra_within(neighbour_graphs(structures, max(RADII)), RADII)
    ours = (time.process_time() - start) / STRUCTURES
    start = time.process_time()
    published = [
        [published_eigenvalues(atoms, radius) for radius in RADII]
        for atoms in structures[:BASELINE]
    ]
    theirs = (time.process_time() - start) / BASELINE
    gaps = [
        float(np.abs(one - np.array(other)).max())
        for one, other in zip(found[:BASELINE], published, strict=True)
    ]
    return {
        "structures": STRUCTURES,
        "baseline_structures": BASELINE,
        "radii_A": RADII.tolist(),
        "ms": 1000 * ours,
        "baseline_ms": 1000 * theirs,
        "times": theirs / ours,
        "largest_difference": max(gaps),
    }
