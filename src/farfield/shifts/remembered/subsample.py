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


def first_of_each(numbers: npt.NDArray[np.generic], count: int) -> Ints:
    """Places of the first ``count`` atoms of each element, ascending."""
    order = np.argsort(numbers, kind="stable")
    ascending = numbers[order]
    rank = np.arange(len(order)) - np.searchsorted(ascending, ascending)
    return np.sort(order[rank < count])


def same_element(numbers: npt.NDArray[np.generic], number: int) -> npt.NDArray[np.bool_]:
    """Mask of the atoms of one element; all atoms when the element was never seen."""
    mask = numbers == number
    return np.asarray(mask if mask.any() else np.ones(len(numbers), dtype=bool))
