"""Which atoms to draw a stick between."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from ase.data import covalent_radii

FACTOR = 1.2
"""Atoms nearer than this times the sum of their covalent radii are drawn as bonded."""


def covalent_bonds(
    numbers: Sequence[int], positions: Sequence[Sequence[float]], factor: float = FACTOR
) -> list[tuple[int, int]]:
    """Return the bonded pairs ``(i, j)`` with ``i < j``; for drawing only.

    Periodic images are not considered, so that no stick crosses a box.

    Parameters
    ----------
    numbers
        Atomic numbers (N).
    positions
        Cartesian positions (N, 3) in Å.
    factor
        The bond length allowed, in sums of covalent radii.
    """
    points = np.asarray(positions, dtype=float).reshape(-1, 3)  # (N, 3)
    radii = covalent_radii[np.asarray(numbers, dtype=int)]  # (N,)
    bonds = []
    for i in range(len(points) - 1):
        distances = np.linalg.norm(points[i + 1 :] - points[i], axis=1)  # (N - i - 1,)
        near = np.flatnonzero(distances < factor * (radii[i] + radii[i + 1 :]))
        bonds += [(i, i + 1 + int(j)) for j in near]
    return bonds
