"""Small sets that stand for large ones, chosen without a random generator."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]


def spread(points: npt.NDArray[np.float64], count: int) -> Ints:
    """Indices of at most ``count`` points that cover the others: farthest-point sampling."""
    if len(points) <= count:
        return np.arange(len(points))
    chosen = [int(np.linalg.norm(points - points.mean(axis=0), axis=1).argmin())]
    distance = np.linalg.norm(points - points[chosen[0]], axis=1)
    while len(chosen) < count:
        chosen.append(int(distance.argmax()))
        distance = np.minimum(distance, np.linalg.norm(points - points[chosen[-1]], axis=1))
    return np.array(sorted(chosen))


def per_element(numbers: npt.NDArray[np.generic], count: int) -> Ints:
    """Indices of at most ``count`` atoms of each element, evenly spaced over the set."""
    kept = []
    for number in np.unique(numbers):
        places = np.flatnonzero(numbers == number)
        steps = np.linspace(0, len(places) - 1, min(count, len(places))).round().astype(int)
        kept.append(places[steps])
    return np.sort(np.concatenate(kept))


def same_element(numbers: npt.NDArray[np.generic], number: int) -> npt.NDArray[np.bool_]:
    """Mask of the atoms of one element; all atoms when the element was never seen."""
    mask = numbers == number
    return np.asarray(mask if mask.any() else np.ones(len(numbers), dtype=bool))
