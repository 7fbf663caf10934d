"""Snapshots of Langevin dynamics, as more structures like the given ones."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from ase import Atoms, units
from ase.data import covalent_radii
from ase.md.langevin import Langevin
from ase.neighborlist import natural_cutoffs, neighbor_list

from farfield.errors import DirectForcesWarning, FarfieldError
from farfield.potentials import Potential

TIME_STEP = 1.0  # fs
FRICTION = 0.05  # 1/fs
BONDED = 1.2  # times the sum of covalent radii, in the structure that is started from
BROKEN = 1.6  # times that sum, for the same two atoms later
CLASH = 0.6  # times that sum, for any two atoms


@dataclass(frozen=True)
class Snapshots:
    """Structures from simulations, and what they took.

    Attributes
    ----------
    structures
        The snapshots.
    stops
        Why simulations ended early, once for each that did.
    n_evaluations
        How often the model was called.
    """

    structures: list[Atoms]
    stops: list[str]
    n_evaluations: int


def snapshots(
    structures: Sequence[Atoms],
    potential: Potential,
    *,
    copies: int,
    temperature: float,
    interval: int,
    seed: int,
) -> Snapshots:
    """Simulate from each structure; one that breaks apart ends with its last whole snapshot.

    Parameters
    ----------
    structures
        Where the simulations start, with random velocities.
    potential
        The model that drives them.
    copies
        Snapshots of each simulation.
    temperature
        K.
    interval
        Steps of 1 fs before each snapshot.
    seed
        Of velocities and random forces.
    """
    found: list[Atoms] = []
    stops: list[str] = []
    n_evaluations = 0
    for index, atoms in enumerate(structures):
        dynamics = _dynamics(atoms, potential, temperature, np.random.default_rng((seed, index)))
        bonds = neighbor_list("ijS", atoms, natural_cutoffs(atoms, mult=BONDED))
        n_evaluations += 1  # for the first step's initial forces
        for step in range(1, copies * interval + 1):
            n_evaluations += 1
            try:
                dynamics.run(1)
                reason = _broken(dynamics.atoms, *bonds)
            except FarfieldError as error:
                reason = str(error)
            if reason is not None:
                stops.append(reason)
                break
            if step % interval == 0:
                copy = atoms.copy()
                copy.positions = dynamics.atoms.positions
                found.append(copy)
    return Snapshots(found, stops, n_evaluations)


def _dynamics(
    atoms: Atoms, potential: Potential, temperature: float, random: np.random.Generator
) -> Langevin:
    moving = atoms.copy()
    with warnings.catch_warnings():  # a thermostat holds the temperature
        warnings.simplefilter("ignore", DirectForcesWarning)
        moving.calc = potential.calculator()
    width = np.sqrt(moving.get_masses() * units.kB * temperature)
    moving.set_momenta(width[:, None] * random.normal(size=(len(moving), 3)))
    return Langevin(
        moving,
        TIME_STEP * units.fs,
        temperature_K=temperature,
        friction=FRICTION / units.fs,
        fixcm=False,
        rng=random,
    )


def _broken(atoms: Atoms, first: np.ndarray, second: np.ndarray, shifts: np.ndarray) -> str | None:
    """Why a structure is not whole any more; None if it is."""
    if not np.isfinite(atoms.positions).all():
        return "a position is not finite"
    radii = covalent_radii[atoms.numbers]
    vectors = atoms.positions[second] - atoms.positions[first] + shifts @ atoms.cell.array
    lengths = np.linalg.norm(vectors, axis=1)
    if (lengths > BROKEN * (radii[first] + radii[second])).any():
        return "a bond broke"
    if len(neighbor_list("i", atoms, natural_cutoffs(atoms, mult=CLASH))):
        return "two atoms collided"
    return None
