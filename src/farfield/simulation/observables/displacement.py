"""Mean squared displacement, and the diffusion coefficient that follows from it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import final

import numpy as np
import numpy.typing as npt
from ase import Atoms
from scipy.fft import irfft, next_fast_len, rfft

from farfield.errors import ConfigError, StructureError, did_you_mean
from farfield.simulation.observables.frames import frames_of, positive, unwrapped
from farfield.structures import describe

Floats = npt.NDArray[np.float64]


@final
@dataclass(frozen=True)
class MeanSquaredDisplacement:
    """How far atoms travel.

    Attributes
    ----------
    times
        Lags, shape (L,), fs.
    values
        ⟨|x(t) − x(0)|²⟩ over atoms and starting times, shape (L,), Å².
    """

    times: Floats
    values: Floats

    def diffusion_coefficient(self, start: float, end: float) -> float:
        """Return a sixth of the slope between two lags (fs), in Å²/fs; 1 Å²/fs is 0.1 cm²/s.

        It means something only where the displacement grows in a straight line.

        Raises
        ------
        ConfigError
            Fewer than two lags lie between ``start`` and ``end``.
        """
        chosen = (self.times >= start) & (self.times <= end)
        if chosen.sum() < 2:
            raise ConfigError(
                f"diffusion coefficient between {start:g} and {end:g} fs: fewer than two lags lie "
                f"there; there are {len(self.times)} up to {self.times[-1]:g} fs"
            )
        return float(np.polyfit(self.times[chosen], self.values[chosen], 1)[0] / 6.0)


def mean_squared_displacement(
    frames: Iterable[Atoms],
    interval: float,
    *,
    element: str | None = None,
    longest: float | None = None,
    remove_drift: bool = False,
) -> MeanSquaredDisplacement:
    """Return the mean squared displacement over atoms and all starting times.

    Periodic positions are unwrapped first, so that it does not matter whether the trajectory
    was written wrapped. Computed by Fourier transform, as in nMOLDYN (Calandrini et al. 2011).

    Parameters
    ----------
    frames
        Evenly spaced frames.
    interval
        Time between two frames, fs.
    element
        Chemical symbol of the atoms that are averaged over; all if None.
    longest
        Longest lag, fs; half the trajectory if None. Long lags have few starting times.
    remove_drift
        Whether to subtract the motion of the centre of mass, which thermostats may push.

    Raises
    ------
    StructureError
        Fewer than two frames, or than the longest lag needs; changing atoms; a changing
        cell; atoms that move too far between frames to be followed.
    ConfigError
        No atom of the element.
    """
    purpose = "mean squared displacement"
    interval = positive(interval, "interval", "fs")
    lags = None if longest is None else 1 + round(positive(longest, "longest", "fs") / interval)
    found = frames_of(frames, lags or 2, purpose)
    first = found[0]
    if first.pbc.any() and not all(np.allclose(f.cell, first.cell, atol=1e-8) for f in found):
        raise StructureError(
            f"{purpose}: the cell of {describe(first)} changes, which moves atoms as well: "
            "run at constant volume"
        )
    places = unwrapped(found, purpose)  # (T, N, 3)
    if remove_drift:
        masses = first.get_masses()  # (N,)
        places = places - np.einsum("n,tnx->tx", masses / masses.sum(), places)[:, None]
    travel = places[:, _chosen(first, element)]  # (T, M, 3)
    travel = travel - travel.mean(axis=0)  # small numbers, for the differences below
    lags = lags or max(2, len(found) // 2)
    values = _mean_squares(travel.reshape(len(found), -1), lags) / travel.shape[1]
    return MeanSquaredDisplacement(interval * np.arange(lags, dtype=np.float64), values)


def _chosen(atoms: Atoms, element: str | None) -> npt.NDArray[np.bool_]:
    symbols = np.array(atoms.get_chemical_symbols())
    if element is None:
        return np.ones(len(symbols), dtype=bool)
    if element not in symbols:
        raise ConfigError(
            f"mean squared displacement: {describe(atoms)} has no {element!r}"
            f"{did_you_mean(element, set(symbols.tolist()))}"
        )
    chosen: npt.NDArray[np.bool_] = symbols == element
    return chosen


def _mean_squares(travel: Floats, lags: int) -> Floats:
    """Return Σ over components of ⟨(x(t + lag) − x(t))²⟩ over t, for ``travel`` (T, D): (L,)."""
    count = len(travel)
    padded = next_fast_len(count + lags, real=True)
    products = np.zeros(lags)  # Σ_t x(t) x(t + lag)
    for component in travel.T:
        products += irfft(np.abs(rfft(component, padded)) ** 2, padded)[:lags]
    squares = np.cumsum((travel**2).sum(axis=1))  # (T,), Σ up to and with t
    lag = np.arange(lags)
    heads = squares[count - 1 - lag]  # Σ of x(t)² over t < T - lag
    tails = squares[-1] - np.concatenate([[0.0], squares])[lag]  # Σ over t ≥ lag
    found: Floats = np.maximum((heads + tails - 2.0 * products) / (count - lag), 0.0)
    found[0] = 0.0
    return found
