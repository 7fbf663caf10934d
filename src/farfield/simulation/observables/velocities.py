"""What the velocities tell: their autocorrelation, and the spectrum of vibrations."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import final

import numpy as np
import numpy.typing as npt
from ase import Atoms
from scipy.constants import c as speed_of_light  # m/s
from scipy.fft import irfft, next_fast_len, rfft
from scipy.signal import welch

from farfield.errors import StructureError
from farfield.simulation.observables.frames import frames_of, positive, velocities
from farfield.structures import describe

Floats = npt.NDArray[np.float64]

CM_PER_FS = speed_of_light * 1e2 * 1e-15
"""Speed of light in cm/fs: a frequency in 1/fs divided by it is a wavenumber in 1/cm."""

_BLOCK = 48  # velocity components that are transformed at once


@final
@dataclass(frozen=True)
class VelocityAutocorrelation:
    """How long atoms remember their velocities.

    Attributes
    ----------
    times
        Lags, shape (L,), fs.
    values
        ⟨v(0)·v(t)⟩ / ⟨v²⟩ over atoms and starting times, shape (L,), without unit; 1 at lag 0.
    mean_square
        ⟨v²⟩ per atom, Å²/fs².
    """

    times: Floats
    values: Floats
    mean_square: float


@final
@dataclass(frozen=True)
class VibrationalSpectrum:
    """Where the kinetic energy vibrates.

    Attributes
    ----------
    wavenumbers
        Shape (F,), 1/cm, evenly spaced from 0.
    density
        Share of the kinetic energy per 1/cm, shape (F,); it integrates to 1.
    """

    wavenumbers: Floats
    density: Floats

    @property
    def resolution(self) -> float:
        """Width of a bin, 1/cm; the window makes a sharp line about 1.5 bins wide."""
        return float(self.wavenumbers[1])


def velocity_autocorrelation(
    frames: Iterable[Atoms], interval: float, *, longest: float | None = None
) -> VelocityAutocorrelation:
    """Return the normalised velocity autocorrelation, averaged over atoms and starting times.

    Parameters
    ----------
    frames
        Evenly spaced frames with velocities.
    interval
        Time between two frames, fs.
    longest
        Longest lag, fs; half the trajectory if None. Long lags have few starting times.

    Raises
    ------
    StructureError
        Fewer than two frames, or than the longest lag needs; changing atoms; velocities that
        are missing, not finite, or all zero.
    """
    purpose = "velocity autocorrelation"
    interval = positive(interval, "interval", "fs")
    lags = None if longest is None else 1 + round(positive(longest, "longest", "fs") / interval)
    found = frames_of(frames, lags or 2, purpose)
    moving = _moving(found, purpose)  # (T, 3N)
    count = len(found)
    lags = lags or max(2, count // 2)
    padded = next_fast_len(count + lags, real=True)  # so that the ends do not meet
    power = np.zeros(padded // 2 + 1)
    for start in range(0, moving.shape[1], _BLOCK):
        power += (np.abs(rfft(moving[:, start : start + _BLOCK], padded, axis=0)) ** 2).sum(axis=1)
    products = irfft(power, padded)[:lags] / (count - np.arange(lags))  # (L,)
    return VelocityAutocorrelation(
        times=interval * np.arange(lags, dtype=np.float64),
        values=products / products[0],
        mean_square=float(products[0] / len(found[0])),
    )


def vibrational_spectrum(
    frames: Iterable[Atoms], interval: float, *, resolution: float = 10.0
) -> VibrationalSpectrum:
    """Return the power spectrum of the mass-weighted velocities, by Welch's method.

    It is the Fourier transform of their autocorrelation: the vibrational density of states
    of the classical motion, with all modes, infrared-active or not. Rotation of the whole
    molecule shows at low wavenumbers; steady translation is removed. Frequencies are those
    of the trajectory, to which the time step of velocity Verlet adds (ω Δt)²/24 of their
    value.

    Parameters
    ----------
    frames
        Evenly spaced frames with velocities.
    interval
        Time between two frames, fs. Vibrations above 1 / (2 c interval), 16678 1/cm for 1 fs,
        appear at wrong, lower wavenumbers: 4 fs and less hold all vibrations of molecules.
    resolution
        Width of a bin, 1/cm: 3336 frames of 1 fs are needed for the default.

    Raises
    ------
    StructureError
        Too few frames for the resolution; changing atoms; velocities that are missing, not
        finite, or all zero.
    """
    purpose = "vibrational spectrum"
    interval = positive(interval, "interval", "fs")
    segment = round(1.0 / (CM_PER_FS * positive(resolution, "resolution", "1/cm") * interval))
    segment = max(4, segment)
    found = frames_of(frames, segment, f"{purpose} with a resolution of {resolution:g} 1/cm")
    moving = _moving(found, purpose)  # (T, 3N)
    masses = np.repeat(found[0].get_masses(), 3)  # (3N,), u
    power = np.zeros(segment // 2 + 1)
    for start in range(0, moving.shape[1], _BLOCK):
        part = slice(start, start + _BLOCK)
        frequencies, spectra = welch(
            moving[:, part], 1.0 / interval, window="hann", nperseg=segment, axis=0
        )  # (F,), (F, block)
        power += spectra @ masses[part]
    wavenumbers = frequencies / CM_PER_FS
    return VibrationalSpectrum(wavenumbers, power / (power.sum() * wavenumbers[1]))


def _moving(frames: list[Atoms], purpose: str) -> Floats:
    """Return the velocities as (T, 3N) in Å/fs, or refuse atoms at rest."""
    moving = velocities(frames, purpose).reshape(len(frames), -1)
    if not moving.any():
        raise StructureError(f"{purpose}: all velocities of {describe(frames[0])} are zero")
    return moving
