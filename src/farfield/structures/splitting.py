"""Seeded splits of a set of structures."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from ase import Atoms

from farfield.errors import StructureError


def folds(count: int, parts: int, seed: int) -> list[list[int]]:
    """Split ``range(count)`` at random into ``parts`` disjoint lists of nearly equal length.

    Fewer structures than parts give one structure per part; every index stands in one part.

    Raises
    ------
    ValueError
        If ``parts`` is below 1.
    """
    if parts < 1:
        raise ValueError(f"cannot split into {parts} parts")
    if count == 0:
        return []
    order = np.random.default_rng(seed).permutation(count)
    return [sorted(part.tolist()) for part in np.array_split(order, min(parts, count))]


def halves(structures: Sequence[Atoms], seed: int) -> tuple[list[Atoms], list[Atoms]]:
    """Split at random into two halves: one to adapt on, one to judge by.

    The split is the same for every caller with the same seed and number of structures; of an
    odd number the first half gets one more.

    Raises
    ------
    StructureError
        If there are fewer than two structures.
    """
    if len(structures) < 2:
        raise StructureError(f"cannot halve {len(structures)} structures: at least 2 are needed")
    first, second = folds(len(structures), 2, seed)
    return [structures[i] for i in first], [structures[i] for i in second]
