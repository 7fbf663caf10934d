"""What choosing a radius costs, beside one force evaluation and the published procedure."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt
from ase import Atoms
from ase.neighborlist import neighbor_list
from scipy.sparse import coo_matrix

from farfield.graphs import CRITERIA, neighbour_graph, spectrum
from farfield.potentials import Potential
from farfield.potentials.radii import SHARES
from farfield.refinement import RadiusRefined
from farfield.refinement.radius.evidence import make_rule
from farfield.refinement.radius.rule import MARGIN, RadiusRule
from farfield.refinement.radius.table import RadiusByComposition, RadiusTable
from farfield.structures import composition

Floats = npt.NDArray[np.float64]
RADII = 10  # candidates, as many as the published script tries
MOST_NEIGHBOURS = 50  # its cap
SPACING = 7.0  # Å, between copies of a molecule
ROUNDS = 5  # over all that is timed
REPETITIONS = 5  # of each in a round, at least
LEAST_TIME = 0.1  # s of repetitions, at least
TABLE = "known composition"  # a radius that was chosen before, whatever chose it


def published_eigenvalues(atoms: Atoms, radius: float) -> Floats:
    """Eigenvalues as the script published with arXiv 2503.08674 computes them, shape (N,).

    A neighbour list of its own (here ASE's), the normalised Laplacian as a sparse matrix made
    dense, and the eigenvalues of a general matrix; real parts. No periodic images, at most 50
    neighbours. An atom alone gets the eigenvalue one.
    """
    receivers, senders = neighbor_list("ij", atoms, radius)
    kept = np.concatenate(
        [np.flatnonzero(receivers == atom)[:MOST_NEIGHBOURS] for atom in range(len(atoms))]
    )
    senders, receivers = senders[kept], receivers[kept]
    degree = np.bincount(receivers, minlength=len(atoms))
    with np.errstate(divide="ignore"):
        scale = np.where(degree > 0, degree**-0.5, 0.0)
    values = np.concatenate([-scale[senders] * scale[receivers], np.ones(len(atoms))])
    places = [np.concatenate([ends, np.arange(len(atoms))]) for ends in (senders, receivers)]
    laplacian = coo_matrix((values, places), (len(atoms), len(atoms))).toarray()
    return np.sort(np.linalg.eigvals(laplacian).real)


def published_choice(atoms: Atoms, radii: Sequence[float], mean: Floats) -> float:
    """The radius whose spectrum, padded or cut at its end, is nearest to the training mean."""
    distances = []
    for radius in radii:
        values = published_eigenvalues(atoms, radius)[: len(mean)]
        padded = np.pad(values, (0, len(mean) - len(values)))
        distances.append(float(np.linalg.norm(padded - mean) ** 2))
    return radii[int(np.argmin(distances))]


def selection_costs(
    model: Potential,
    molecule: Atoms,
    known: Mapping[str, Floats],
    sizes: Sequence[int] = (20, 50, 100, 200),
) -> list[dict[str, Any]]:
    """Processor time (ms) to choose a radius, by each criterion, for clusters of a molecule.

    Each choice begins with positions: the neighbour list is a part of it. All choose among
    the same ten radii and the training radius.
    """
    return [_costs(model, cluster(molecule, size), known) for size in sizes]


def _costs(model: Potential, atoms: Atoms, known: Mapping[str, Floats]) -> dict[str, Any]:
    assert model.cutoff is not None
    timed: dict[str, Callable[[], object]] = {}
    for criterion in CRITERIA:
        rule = make_rule(model, "taper", criterion, known)
        radii = rule.radii[-RADII:]
        refined = RadiusRefined(model, replace(rule, radii=radii))
        timed[criterion] = partial(refined.radii, [atoms])
    table = RadiusTable("taper", {composition(atoms): radii[0]}, model.cutoff)
    timed[TABLE] = partial(RadiusByComposition(model, table).radii, [atoms])
    graph = neighbour_graph(atoms, max(radii))
    pairs = [(spectrum(graph.within(r)), published_eigenvalues(atoms, r)) for r in radii]
    linked = [np.bincount(graph.within(r).senders, minlength=len(atoms)).min() > 0 for r in radii]
    capped = [np.bincount(graph.within(r).senders).max(initial=0) > MOST_NEIGHBOURS for r in radii]
    both = [
        float(np.abs(ours - theirs).max())
        for (ours, theirs), free, cut in zip(pairs, linked, capped, strict=True)
        if free and not cut
    ]
    timed["forces"] = partial(model.predict, [atoms])
    timed["published"] = partial(published_choice, atoms, radii, known["paper"])
    rounds = [{name: _milliseconds(way) for name, way in timed.items()} for _ in range(ROUNDS)]
    spent = {name: float(np.median([one[name] for one in rounds])) for name in timed}
    return {
        "atoms": len(atoms),
        "edges": neighbour_graph(atoms, model.cutoff).n_edges,
        "radii_A": list(radii),
        "forces_ms": spent["forces"],
        "published_ms": spent["published"],
        "choice_ms": {name: spent[name] for name in (*CRITERIA, TABLE)},
        "radii_compared": len(both),
        "largest_difference_of_eigenvalues": max(both, default=None),
    }


def agreement(
    structures: Sequence[Atoms], cutoff: float, known: Mapping[str, Floats]
) -> dict[str, dict[str, float]]:
    """How often criteria that look at few radii choose the one that all of them would.

    By criterion, for those that leave radii out: the number of structures, how many have the
    same radius, by how much the distance at the chosen radius exceeds the other's at most, and
    the mean number of radii looked at.
    """
    radii = tuple(round(share * cutoff, 4) for share in SHARES)
    found = {}
    for name, reference in known.items():
        rule = RadiusRule("taper", name, radii, cutoff, MARGIN, reference)
        graphs = [neighbour_graph(atoms, max(radii)) for atoms in structures]
        searched = np.array([rule.search(graph) for graph in graphs])
        looked = np.isfinite(searched)
        if looked.all():
            continue
        every = np.array([rule.distances(graph) for graph in graphs])
        rows = np.arange(len(graphs))
        quick, exact = rule.pick(searched), rule.pick(every)
        found[name] = {
            "structures": len(graphs),
            "same": int((quick == exact).sum()),
            "largest_excess": float((every[rows, quick] / every[rows, exact] - 1.0).max()),
            "mean_radii_looked_at": float(looked.sum(axis=1).mean()),
            "radii": len(rule.all_radii),
        }
    return found


def cluster(molecule: Atoms, size: int) -> Atoms:
    """So many atoms of copies of a molecule on a cubic grid, the last copy cut."""
    side = int(np.ceil((size / len(molecule)) ** (1 / 3)))
    found = Atoms()
    for steps in np.ndindex(side, side, side):
        found += Atoms(molecule.numbers, molecule.positions + SPACING * np.array(steps))
    return found[:size]


def _milliseconds(function: Callable[[], object]) -> float:
    """The least of the repetitions: what else the machine does only adds to it."""
    function()
    function()
    found: list[float] = []
    while len(found) < REPETITIONS or sum(found) < LEAST_TIME:
        start = time.process_time()
        function()
        found.append(time.process_time() - start)
    return 1000 * min(found)
