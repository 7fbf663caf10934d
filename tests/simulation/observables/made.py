"""Trajectories whose observables are known on paper."""

from __future__ import annotations

import numpy as np
from ase import Atoms, units


def moving(
    positions: np.ndarray, symbols: str, cell: float | None = None, velocities: object = None
) -> list[Atoms]:
    """Return frames with these positions (T, N, 3) in Å and velocities (T, N, 3) in Å/fs."""
    frames = []
    for index, places in enumerate(positions):
        atoms = Atoms(symbols, places, cell=cell and [cell] * 3, pbc=cell is not None)
        if velocities is not None:
            atoms.set_velocities(np.asarray(velocities)[index] / units.fs)
        frames.append(atoms)
    return frames


def oscillator(wavenumber: float, interval: float, count: int) -> list[Atoms]:
    """Return a diatomic N2 that vibrates with this wavenumber (1/cm) and steadily drifts."""
    phase = 2 * np.pi * wavenumber * 2.99792458e-5 * interval * np.arange(count)  # (T,)
    positions = np.zeros((count, 2, 3))
    positions[:, 1, 0] = 1.1 + 0.05 * np.sin(phase)
    positions[:, 0, 0] = -0.05 * np.sin(phase)
    velocities = np.zeros((count, 2, 3))
    velocities[:, 1, 0] = np.cos(phase)
    velocities[:, 0, 0] = -np.cos(phase)
    velocities[:, :, 1] = 3.0  # as a whole
    return moving(positions, "N2", velocities=velocities)
