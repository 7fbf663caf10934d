"""Rattled molecules with forces and features that cost nothing and obey the symmetries."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from ase import Atoms
from ase.build import molecule

from farfield.graphs import neighbour_graph
from farfield.shifts import Observation, Profile
from farfield.shifts.profile import fit

CUTOFF = 4.0
NAMES = ("CH3CH2OH", "CH3OH", "C2H6", "CH3CHO", "CH3OCH3")
HEADER = {"cutoff": CUTOFF, "model": None, "n_structures": 0}


def rattled(
    count: int, seed: int, names: Sequence[str] = NAMES, width: float = 0.06
) -> list[Atoms]:
    """``count`` molecules, displaced at random by ``width`` Å."""
    rng = np.random.default_rng(seed)
    structures = []
    for index in range(count):
        atoms = molecule(names[index % len(names)])
        atoms.positions += rng.normal(scale=width, size=(len(atoms), 3))
        structures.append(atoms)
    return structures


def seen(
    atoms: Atoms, *, forces: bool = True, features: bool = True, residual: bool = True
) -> Observation:
    """Observe with forces and residuals that turn with the structure, and features that do not."""
    graph = neighbour_graph(atoms, CUTOFF)
    vectors = atoms.positions[graph.receivers] - atoms.positions[graph.senders]
    vectors = vectors + graph.shifts @ np.asarray(atoms.cell)  # (E, 3)
    charges = graph.numbers[graph.receivers] ** 0.5
    decay = (1.0 - graph.distances / CUTOFF) ** 2 * charges  # (E,)
    force = np.zeros((len(atoms), 3))
    np.add.at(force, graph.senders, decay[:, None] * vectors)
    centres = np.linspace(0.8, CUTOFF, 8)
    radial = decay[:, None] * np.exp(-4.0 * (graph.distances[:, None] - centres) ** 2)  # (E, 8)
    feature = np.zeros((len(atoms), 8))
    np.add.at(feature, graph.senders, radial)
    missed = np.zeros((len(atoms), 3))
    np.add.at(missed, graph.senders, 0.1 * (decay**2)[:, None] * vectors)
    by_prior = np.zeros((len(atoms), 3))
    np.add.at(by_prior, graph.senders, (decay**1.5)[:, None] * vectors)
    return Observation(
        graph,
        forces=force if forces else None,
        features=feature if features else None,
        residual=missed if residual else None,
        prior_forces=by_prior,
        disagreement=0.3 * missed,
    )


def fitted(count: int = 40, seed: int = 0, **options: bool) -> Profile:
    """A profile of ``count`` rattled molecules."""
    return fit([seen(atoms, **options) for atoms in rattled(count, seed)], seed=seed, header=HEADER)
