"""What is measured: each function is one case and returns plain numbers."""

from __future__ import annotations

import resource
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from ase import Atoms
from ase.build import bulk, molecule
from molecules import molecules
from radii import radii
from scipy.spatial.transform import Rotation

from farfield.graphs import (
    coarse,
    coarse_densities,
    cumulative,
    estimate,
    local_densities,
    local_spectrum,
    nearest,
    neighbour_graph,
    spectral_density,
    wasserstein,
)
from farfield.graphs.waves import wave_vectors

COPPER_REPEATS = {1_000: (5, 5, 10), 10_000: (10, 10, 25), 100_000: (25, 25, 40)}
COPPER_REPEATS |= {1_000_000: (50, 50, 100)}


class Clock:
    """CPU and wall seconds since it was made, or since the last reading."""

    def __init__(self) -> None:
        self.cpu, self.wall = time.process_time(), time.perf_counter()

    def read(self) -> tuple[float, float]:
        """Seconds of the processor and of the wall; starts again."""
        before = self.cpu, self.wall
        self.cpu, self.wall = time.process_time(), time.perf_counter()
        return self.cpu - before[0], self.wall - before[1]


def peak_gigabytes() -> float:
    """Largest memory of this process so far, libraries included."""
    for line in Path("/proc/self/status").read_text(encoding="utf-8").splitlines():
        if line.startswith("VmHWM"):
            return int(line.split()[1]) / 1024**2
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2


def rattled(atoms: Atoms, width: float) -> Atoms:
    """Atoms displaced at random, Å."""
    rng = np.random.default_rng(0)
    atoms.positions += rng.normal(scale=width, size=atoms.positions.shape)
    return atoms


def water(count: int) -> Atoms:
    """A box of count³ water molecules, turned at random."""
    rng = np.random.default_rng(0)
    box = Atoms(cell=[3.1 * count] * 3, pbc=True)
    for place in np.ndindex(count, count, count):
        each = molecule("H2O")
        each.positions = each.positions @ Rotation.random(rng=rng).as_matrix().T
        each.translate(3.1 * np.array(place) + rng.normal(scale=0.2, size=3))
        box += each
    return box


def chain(count: int) -> Atoms:
    """A random walk of carbon atoms."""
    steps = np.random.default_rng(0).normal(scale=0.9, size=(count, 3))
    return Atoms(f"C{count}", positions=np.cumsum(steps, axis=0))


def crystal(count: int) -> dict[str, Any]:
    """Copper of ``count`` atoms: neighbour list, density, distance to the nearest of 256."""
    atoms = rattled(bulk("Cu", cubic=True).repeat(COPPER_REPEATS[count]), 0.1)
    centres = np.linspace(0.2, 1.8, 256)[:, None]
    known = cumulative(np.clip(centres + np.linspace(-0.2, 0.2, 50), 0.0, 2.0))
    clock = Clock()
    graph = neighbour_graph(atoms, 4.5)
    list_cpu, list_wall = clock.read()
    found = estimate(graph, weighted=True, samples=0)  # 4 vectors
    distance = float(nearest(found.levels[None], known)[0])
    density_cpu, density_wall = clock.read()
    return {
        "atoms": len(atoms),
        "edges": graph.n_edges,
        "list_s": list_cpu,
        "density_s": density_cpu,
        "all_s": list_cpu + density_cpu,
        "wall_s": list_wall + density_wall,
        "peak_GB": peak_gigabytes(),
        "distance": distance,
        "error": found.error,
        "standard_error": found.standard_error,
        "resolution": found.resolution,
        "vectors": found.vectors,
        "steps": found.steps,
    }


def accuracy(atoms: Callable[[], Atoms], cutoff: float) -> dict[str, Any]:
    """Estimates against exact densities, of the whole and of its atoms."""
    graph = neighbour_graph(atoms(), cutoff)
    clock = Clock()
    found = estimate(graph, weighted=True)
    estimate_s, _ = clock.read()
    values, weights = local_spectrum(graph, weighted=True)
    exact_s, _ = clock.read()
    exact = cumulative(values, weights)
    clock.read()
    local = list(coarse_densities(graph, weighted=True))
    local_s, _ = clock.read()
    gaps = [wasserstein(levels, coarse(exact[some])) for some, levels in local]
    return {
        "atoms": graph.n_atoms,
        "distance": float(wasserstein(found.levels, exact.mean(axis=0))),
        "stated": found.error,
        "estimate_s": estimate_s,
        "exact_s": exact_s,
        "local": float(np.median(np.concatenate(gaps))),
        "local_ms": 1000.0 * local_s / graph.n_atoms,
    }


def narrow() -> dict[str, Any]:
    """What a cell, at its wave vectors, lacks of the infinite crystal, and what it costs."""
    cells = {
        "Cu": (bulk("Cu"), 4.5),
        "Li": (bulk("Li"), 4.5),
        "Si": (bulk("Si"), 4.5),
        "NaCl, displaced": (rattled(bulk("NaCl", "rocksalt", a=5.64, cubic=True), 0.12), 4.5),
        "Cu, displaced": (rattled(bulk("Cu", cubic=True).repeat(2), 0.12), 4.5),
        "Si, displaced": (rattled(bulk("Si", cubic=True).repeat(2), 0.12), 4.5),
        "Si, displaced, wider graph": (rattled(bulk("Si", cubic=True).repeat(2), 0.12), 6.0),
        "Cu, displaced, larger": (rattled(bulk("Cu", cubic=True).repeat(4), 0.12), 4.5),
    }
    found = {}
    for name, (atoms, cutoff) in cells.items():
        repeats = int(np.ceil((6000 / len(atoms)) ** (1 / 3)))
        large = estimate(neighbour_graph(atoms.repeat(repeats), cutoff), weighted=True)
        graph = neighbour_graph(atoms, cutoff)
        clock = Clock()
        local_densities([graph], weighted=True)
        cost, _ = clock.read()
        cell = spectral_density(graph, weighted=True)
        double = atoms.repeat(2)
        again, hardly = (
            spectral_density(neighbour_graph(each, cutoff), weighted=True)
            for each in (double, rattled(double.copy(), 1e-3))
        )
        found[name] = {
            "atoms": len(atoms),
            "cutoff_A": cutoff,
            "waves": len(wave_vectors(graph)[1]),
            "distance": float(wasserstein(cell, large.levels)),
            "stated": large.error,
            "repeated": float(wasserstein(cell, again)),
            "hardly_displaced": float(wasserstein(cell, hardly)),
            "ms": 1000.0 * cost,
        }
    return {"cells": found}


ACCURACY = {
    "copper": (lambda: rattled(bulk("Cu", cubic=True).repeat(6), 0.12), 4.5),
    "salt, hardly displaced": (
        lambda: rattled(bulk("NaCl", "rocksalt", a=5.64, cubic=True).repeat(5), 1e-3),
        4.0,
    ),
    "water": (lambda: water(7), 5.0),
    "chain": (lambda: chain(1000), 3.0),
}
SIZES = {f"crystal-{count}": count for count in COPPER_REPEATS}
CASES: dict[str, Callable[[], dict[str, Any]]] = {
    "molecules": molecules,
    "radii": radii,
    **{name: partial(accuracy, *given) for name, given in ACCURACY.items()},
    "narrow cells": narrow,
    **{name: partial(crystal, count) for name, count in SIZES.items()},
}
