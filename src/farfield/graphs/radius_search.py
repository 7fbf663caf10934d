"""The radius of least distance from a few spectra, by guessing the others.

Between radii a spectrum changes mostly in its width, and the width within every radius costs
a sum over the edges. So the spectra that have been computed, stretched to the width within
another radius, tell roughly what its distance will be. The radius with the least guess is
looked at next, until it is one that was looked at: its distance is the least of all, those
of the others as guessed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

ZERO = 1e-3  # eigenvalues below it are the zeros of the parts of a graph, which do not stretch
LEAST = 1e-9


def search(
    widths: Floats,
    wanted: Floats,
    look: Callable[[int], tuple[float, Floats]],
    stretched: Callable[[Floats, float, Floats], Floats],
) -> Floats:
    """Distances at the radii that were looked at, and infinity at the others, shape (K,).

    Parameters
    ----------
    widths
        Of the spectrum within each radius, shape (K,).
    wanted
        Quantiles of the spectrum that is sought, shape (Q,).
    look
        The distance at the radius of that place, and quantiles of its spectrum, shape (Q,).
        The last radius is always looked at.
    stretched
        Quantiles, their width and K others to quantiles of those widths, shape (K, Q).
    """
    found = np.full(len(widths), np.inf)
    tables: dict[int, Floats] = {}
    place = len(widths) - 1
    while place not in tables:
        found[place], values = look(place)
        tables[place] = stretched(values, widths[place], widths)
        guessed = np.where(np.isinf(found), _guessed(widths, wanted, tables, found), found)
        place = int(guessed.argmin())
    return found


def _guessed(
    widths: Floats, wanted: Floats, tables: Mapping[int, Floats], found: Floats
) -> Floats:
    """Distances within all radii, interpolated in the width; beyond the ends, stretched."""
    known = sorted(tables, key=lambda place: widths[place])
    blended = np.zeros_like(tables[known[0]])
    missed = np.zeros(len(widths))
    for row, place in zip(np.eye(len(known)), known, strict=True):
        share = np.interp(widths, widths[known], row)
        blended += share[:, None] * tables[place]
        missed += share * (found[place] - np.abs(tables[place][place] - wanted).mean())
    return np.asarray(np.abs(blended - wanted).mean(axis=1) + missed)


def stretched_about_one(values: Floats, width: float, widths: Floats) -> Floats:
    """Quantiles of normalised spectra of other widths: the mean and the zeros stay."""
    moved = 1.0 - values  # of I - L
    free = values > ZERO
    share = np.count_nonzero(free) / len(values)
    middle = moved[free].mean() if share else 0.0
    spread = np.where(free, moved - middle, 0.0)
    square = float(spread @ spread) / len(values)
    rest = 1.0 - share + share * middle**2  # what does not stretch
    wanted = (rest + square) * (widths / max(width, LEAST)) ** 2 - rest
    factors = np.sqrt(np.maximum(wanted, 0.0) / max(square, LEAST))
    return np.asarray(values - (factors[:, None] - 1.0) * spread)


def stretched_from_zero(values: Floats, width: float, widths: Floats) -> Floats:
    """Quantiles of spectra of other means: all eigenvalues in proportion."""
    return np.asarray(values * (widths / max(width, LEAST))[:, None])


def interpolated(
    measure: Callable[[Sequence[float]], Floats], radii: Sequence[float]
) -> Floats:
    """A smooth positive figure within every radius, shape (K,), from that of three of them.

    A parabola in the logarithms, through the smallest, the largest and the one between.
    """
    order = np.argsort(radii)
    if len(order) < 3:
        return measure(radii)
    knots = order[[0, len(order) // 2, -1]]
    reach = np.log(radii)
    heights = np.log(np.maximum(measure([radii[knot] for knot in knots]), LEAST))
    curve = np.zeros(len(order))
    for place, height in enumerate(heights):
        others = reach[np.delete(knots, place)]
        curve += height * np.prod(
            (reach[:, None] - others) / (reach[knots[place]] - others), axis=1
        )
    return np.asarray(np.exp(curve))
