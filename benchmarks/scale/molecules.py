"""Diagnosis of many small molecules without a model, against the same one by one."""

from __future__ import annotations

import cProfile
import pstats
import time
from typing import Any

import numpy as np
from ase import Atoms
from ase.build import molecule

from farfield.graphs import cumulative, local_spectrum, neighbour_graph, spectrum
from farfield.shifts import Observation, diagnose, observe
from farfield.shifts.detectors import DETECTORS
from farfield.shifts.profile import VERSION, Profile, fit
from farfield.shifts.remembered.densities import blocks, coded, distances, local_distances
from farfield.shifts.remembered.subsample import same_element

CUTOFF = 5.0  # Å
STRUCTURES, TRAINING, ONE_BY_ONE = 10_000, 300, 100
PARTS = {
    "neighbour lists": "neighbour_graphs",
    "Laplacians": "_laplacians",
    "eigenvalues and eigenvectors": "eigh",
    "eigenvalues of the plain graph": "eigvalsh",
    "densities on the grid": "cumulative",
    "nearest training densities": "nearest_rows",
    "elements and pairs": "score_all",
}


def made(count: int, seed: int) -> list[Atoms]:
    """Molecules of 20 atoms: ethane above benzene, atoms displaced by 0.1 Å."""
    rng = np.random.default_rng(seed)
    above = molecule("C2H6")
    above.translate([0.0, 0.0, 4.0])
    found = []
    for _ in range(count):
        atoms = molecule("C6H6") + above
        atoms.positions += rng.normal(scale=0.1, size=(20, 3))
        found.append(atoms)
    return found


def one_by_one(structures: list[Atoms], profile: Profile) -> list[tuple[float, float, float]]:
    """Scores of elements and connectivity, and the combined quantile, each structure alone."""
    found = []
    elements, state = profile.axes["elements"].state, profile.axes["connectivity"].state
    for atoms in structures:
        seen = Observation(neighbour_graph(atoms, CUTOFF))
        first = DETECTORS["elements"].score(seen, elements)
        levels = cumulative(*local_spectrum(seen.graph, weighted=True))
        whole, local = coded(levels.mean(axis=0)), blocks(levels)
        second = float(distances(whole[None], state["densities"]).min())
        near = np.zeros(len(atoms))
        for number in np.unique(seen.numbers):
            chosen = seen.numbers == number
            known = state["atom_densities"][same_element(state["atom_numbers"], number)]
            near[chosen] = local_distances(local[chosen], known).min(axis=1)
        spectrum(seen.graph)
        quantiles = {
            axis: profile.quantile(axis, score)
            for axis, score in (("elements", first.structure), ("connectivity", second))
        }
        profile.atom_quantiles("elements", first.atoms)
        profile.atom_quantiles("connectivity", near)
        found.append((first.structure, second, profile.combined_quantile(quantiles)))
    return found


def molecules() -> dict[str, Any]:
    """Structures per second of ``observe`` and ``diagnose``, and where the time goes."""
    training = observe(made(TRAINING, 0), cutoff=CUTOFF)
    profile = fit(training, seed=0, header={"version": VERSION, "cutoff": CUTOFF})
    structures = made(STRUCTURES, 1)
    diagnose(structures[:50], observe(structures[:50], cutoff=CUTOFF), profile)  # fits the axes
    cpu, wall = time.process_time(), time.perf_counter()
    found = diagnose(structures, observe(structures, cutoff=CUTOFF), profile)
    cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    alone = time.process_time()
    expected = one_by_one(structures[:ONE_BY_ONE], profile)
    alone = time.process_time() - alone
    together = [
        (one.scores["elements"], one.scores["connectivity"], one.quantile)
        for one in found.structures[:ONE_BY_ONE]
    ]
    return {
        "structures": STRUCTURES,
        "training": TRAINING,
        "cutoff": CUTOFF,
        "axes": list(found.axes),
        "per_second": STRUCTURES / cpu,
        "ms": 1000.0 * cpu / STRUCTURES,
        "wall_s": wall,
        "baseline": "one structure after another, without stacks and bounds",
        "baseline_structures": ONE_BY_ONE,
        "baseline_ms": 1000.0 * alone / ONE_BY_ONE,
        "largest_difference": float(np.abs(np.subtract(together, expected)).max()),
        "parts_us": parts(structures[:1000], profile),
    }


def parts(structures: list[Atoms], profile: Profile) -> dict[str, float]:
    """Microseconds per structure in each part, by the profiler, which slows all of them."""
    watch = cProfile.Profile(time.process_time)
    start = time.process_time()
    watch.runcall(lambda: diagnose(structures, observe(structures, cutoff=CUTOFF), profile))
    total = time.process_time() - start
    times: dict[str, float] = {}
    for (file, _, name), (_, _, _, cumulated, _) in pstats.Stats(watch).stats.items():
        if name != "score_all" or file.endswith("elements.py"):
            times[name] = max(times.get(name, 0.0), cumulated)  # it may call its like
    share = 1e6 / len(structures)
    found = {part: share * times.get(name, 0.0) for part, name in PARTS.items()}
    return {**found, "the rest": share * total - sum(found.values())}
