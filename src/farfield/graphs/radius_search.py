"""The radius of least distance from a few spectra, by guessing the others.

Between radii a spectrum changes mostly in its width, and the width within every radius costs
a sum over the edges. So the spectra that have been computed, stretched to the width within
another radius, tell roughly what its distance will be. The radius with the least guess is
looked at next, until every guess that is left lies above the least distance by a share that
allows for its error. What is chosen, and what it is compared with, are distances looked at.
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
    doubt: float,
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
        The last radius is always looked at, and at least one other.
    stretched
        Quantiles, their width and K others to quantiles of those widths, shape (K, Q).
    doubt
        By which share a guess may be too high.
    """
    found = np.full(len(widths), np.inf)
    tables: dict[int, Floats] = {}
    place = len(widths) - 1
    while place not in tables:
        found[place], values = look(place)
        tables[place] = stretched(values, widths[place], widths)
        guessed = (1.0 - doubt) * _guessed(widths, wanted, tables, found)
        guessed = np.where(np.isinf(found), guessed, found)
        if len(tables) == 1 < len(widths):
            guessed[place] = np.inf  # one spectrum alone tells too little
        place = int(guessed.argmin())
    return found


def _guessed(widths: Floats, wanted: Floats, tables: Mapping[int, Floats], found: Floats) -> Floats:
    """Distances within all radii, interpolated in the width; beyond the ends, stretched."""
    known = sorted(tables, key=lambda place: widths[place])
    spectra = np.stack([tables[place] for place in known])  # (A, K, Q)
    knots = widths[known]
    shares = np.stack([np.interp(widths, knots, row) for row in np.eye(len(known))])  # (A, K)
    missed = found[known] - _gap(spectra[np.arange(len(known)), known], wanted)  # (A,)
    blended = np.einsum("ak,akq->kq", shares, spectra)
    return np.asarray(_gap(blended, wanted) + missed @ shares)


def _gap(values: Floats, wanted: Floats) -> Floats:
    return np.asarray(np.abs(values - wanted).sum(axis=-1) / len(wanted))


def stretched_about_one(values: Floats, width: float, widths: Floats) -> Floats:
    """Quantiles of normalised spectra of other widths: the mean and the zeros stay."""
    free = (values > ZERO).astype(float)
    share = free.sum() / len(values)
    moved = (1.0 - values) * free  # of I - L
    middle = moved.sum() / max(free.sum(), 1.0)
    spread = moved - middle * free
    square = spread @ spread / len(values)
    rest = 1.0 - share + share * middle**2  # what does not stretch
    wanted = (rest + square) * (widths / max(width, LEAST)) ** 2 - rest
    factors = np.sqrt(np.maximum(wanted, 0.0) / max(square, LEAST))
    return np.asarray(values - (factors[:, None] - 1.0) * spread)


def stretched_from_zero(values: Floats, width: float, widths: Floats) -> Floats:
    """Quantiles of spectra of other means: all eigenvalues in proportion."""
    return np.asarray(values * (widths / max(width, LEAST))[:, None])


def interpolated(measure: Callable[[Sequence[float]], Floats], radii: Sequence[float]) -> Floats:
    """A smooth positive figure within every radius, shape (K,), from that of three of them.

    A parabola in the logarithms, through the smallest, the largest and the one between.
    """
    if len(radii) < 3:
        return measure(radii)
    ordered = sorted(radii)
    knots = [ordered[0], ordered[len(ordered) // 2], ordered[-1]]
    one, two, three = np.log(np.maximum(measure(knots), LEAST))
    first, second, third = np.log(knots)
    reach = np.log(radii)
    slope = (two - one) / (second - first)
    bend = ((three - two) / (third - second) - slope) / (third - first)
    return np.asarray(np.exp(one + (reach - first) * (slope + bend * (reach - second))))
