"""ASE's integrators, and the part of their state that is not in the atoms.

NVE is velocity Verlet, NVT is ASE's Langevin. NPT is ASE's Langevin-Hoover integrator
(`LangevinBAOAB`) at fixed shape of the cell: it samples the ensemble, which Berendsen's does
not, it takes the same thermostat as NVT, and its state is three public numbers, where the
Nose-Hoover chains of `MTKNPT` have no public state to continue from.
"""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
from ase import Atoms, units
from ase.md.langevin import Langevin
from ase.md.langevinbaoab import LangevinBAOAB
from ase.md.md import MolecularDynamics
from ase.md.velocitydistribution import Stationary
from ase.md.verlet import VelocityVerlet

from farfield.simulation.settings import SimulationSettings

BAROSTAT_STATE = ("p_eps", "force_eps", "gamma_mod")


def draw_momenta(atoms: Atoms, settings: SimulationSettings, random: np.random.Generator) -> None:
    """Give ``atoms`` momenta of the wanted temperature; in NVE their centre of mass rests."""
    width = np.sqrt(atoms.get_masses() * units.kB * settings.temperature)
    atoms.set_momenta(width[:, None] * random.normal(size=(len(atoms), 3)))
    if settings.ensemble == "nve" and len(atoms) > 1:
        Stationary(atoms)


def make_dynamics(
    atoms: Atoms, settings: SimulationSettings, random: np.random.Generator
) -> MolecularDynamics:
    """Return the integrator of ``atoms``, whose calculator knows the present forces."""
    step = settings.timestep * units.fs
    if settings.ensemble == "nve":
        return VelocityVerlet(atoms, step)
    if settings.ensemble == "nvt":
        return Langevin(
            atoms,
            step,
            temperature_K=settings.temperature,
            friction=settings.friction / units.fs,
            fixcm=False,
            rng=random,
        )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # it says which barostat mass it chose
        return LangevinBAOAB(
            atoms,
            step,
            temperature_K=settings.temperature,
            externalstress=-settings.pressure * units.GPa,
            hydrostatic=True,
            T_tau=units.fs / settings.friction,
            P_tau=settings.barostat_time * units.fs,
            rng=random,
        )


def make_dynamics_anew(
    old: MolecularDynamics, atoms: Atoms, settings: SimulationSettings, random: np.random.Generator
) -> MolecularDynamics:
    """Return the integrator that goes on from ``old`` with the forces of another model."""
    dynamics = make_dynamics(atoms, settings, random)
    dynamics.nsteps = old.nsteps
    kept = dynamics_state(old)
    kept.pop("force_eps", None)  # the old model's pressure
    restore_dynamics(dynamics, kept)
    return dynamics


def dynamics_state(dynamics: MolecularDynamics) -> dict[str, float]:
    """Plain values that, with atoms and random numbers, continue the dynamics bit for bit."""
    if not isinstance(dynamics, LangevinBAOAB):
        return {}
    return {key: float(getattr(dynamics, key)) for key in BAROSTAT_STATE}


def restore_dynamics(dynamics: MolecularDynamics, state: dict[str, Any]) -> None:
    """Take back :func:`dynamics_state`."""
    for key, value in state.items():
        setattr(dynamics, key, value)
