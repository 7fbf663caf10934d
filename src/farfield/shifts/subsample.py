"""Small sets that stand for large ones, chosen without a random generator."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]

GOLDEN = (5**0.5 - 1) / 2


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
    """Indices of at most ``count`` atoms of each element, spread evenly over the set.

    The atoms of an element are cut into ``count`` runs, and the place within the run moves by
    the golden ratio: even steps could fall on the same atom of every molecule of a set.
    """
    kept = []
    for number in np.unique(numbers):
        places = np.flatnonzero(numbers == number)
        if len(places) > count:
            runs = np.arange(count)
            steps = (runs + runs * GOLDEN % 1.0) * (len(places) / count)  # (count,), ascending
            places = places[steps.astype(int)]
        kept.append(places)
    return np.sort(np.concatenate(kept))


def same_element(numbers: npt.NDArray[np.generic], number: int) -> npt.NDArray[np.bool_]:
    """Mask of the atoms of one element; all atoms when the element was never seen."""
    mask = numbers == number
    return np.asarray(mask if mask.any() else np.ones(len(numbers), dtype=bool))
