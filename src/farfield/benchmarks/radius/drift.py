"""Dynamics at constant energy at another radius: does the total energy stay?"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from ase import Atoms, units
from ase.md.velocitydistribution import MaxwellBoltzmannDistribution, Stationary
from ase.md.verlet import VelocityVerlet

from farfield.files import atomic
from farfield.potentials.contract import CutoffMode
from farfield.potentials.mace import MacePotential
from farfield.potentials.mace.library import contained
from farfield.potentials.precision import default_dtype

Floats = npt.NDArray[np.float64]
TIMESTEP = 0.5  # fs
STRIDE = 10  # steps between kept energies
SAVED = 200  # kept energies between writes
WINDOW = 1.0  # ps, of the mean energies at both ends


def total_energies(
    model: MacePotential, start: Atoms, picoseconds: float, temperature: float, path: Path
) -> Floats:
    """Total energies (eV) every ten steps of 0.5 fs, shape (n,); the velocities are seeded.

    They are written to ``path`` on the way, so that a run cut off still shows what it did.
    """
    atoms = Atoms(start.numbers, start.positions)
    atoms.calc = compiled(model).calculator()
    random = np.random.default_rng(0)
    MaxwellBoltzmannDistribution(atoms, temperature_K=temperature, rng=random)
    Stationary(atoms)
    energies: list[float] = []

    def keep() -> None:
        energies.append(atoms.get_total_energy())
        if len(energies) % SAVED == 0:
            _write(path, energies)

    run = VelocityVerlet(atoms, timestep=TIMESTEP * units.fs)
    run.attach(keep, interval=STRIDE)
    run.run(round(1000 * picoseconds / TIMESTEP))
    _write(path, energies)
    return np.array(energies)


def drift(energies: Floats, n_atoms: int) -> dict[str, Any]:
    """How the energies of :func:`total_energies` drift and how far they stray, meV per atom."""
    values = 1000 * energies / n_atoms
    times = np.arange(len(values)) * STRIDE * TIMESTEP / 1000  # ps
    slope, offset = np.polyfit(times, values, 1)
    ends = min(round(WINDOW / times[1]), len(values) // 2)
    return {
        "picoseconds": float(times[-1]),
        "drift_meV_per_atom_per_ps": float(slope),
        "stray_meV_per_atom": float(np.std(values - slope * times - offset)),
        "net_change_meV_per_atom": float(values[-ends:].mean() - values[:ends].mean()),
        "largest_step_meV_per_atom": float(np.abs(np.diff(values)).max()),
    }


def jumps(model: MacePotential, mode: CutoffMode, radii: Sequence[float]) -> list[float]:
    """Jump of the energy (meV) as two carbon atoms cross each radius, by 1e-4 Å on either side."""
    found = []
    for radius in radii:
        view = model.with_cutoff(radius, mode)
        pairs = [Atoms("C2", [(0, 0, 0), (radius + side, 0, 0)]) for side in (-1e-4, 1e-4)]
        inside, outside = view.predict(pairs)
        found.append(1000 * abs(outside.energy - inside.energy))
    return found


def compiled(model: MacePotential) -> MacePotential:
    """The same model through TorchScript, a third faster on one core."""
    found = model.clone()
    with contained(), default_dtype(model.dtype):
        from e3nn.util import jit

        found.module = jit.compile(found.module)
    return found


def _write(path: Path, energies: list[float]) -> None:
    with atomic(path) as partial, partial.open("wb") as file:
        np.save(file, np.array(energies))
