"""The smallest cell of a crystal: a cell and its exact repetitions have the same one.

Translations that map a crystal onto itself are sought among the vectors between atoms of one
element with the same neighbourhood. In a structure with any disorder there are hardly any, so
that the search costs next to nothing there.
"""

from __future__ import annotations

from dataclasses import replace
from math import lcm

import numpy as np
import numpy.typing as npt
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from scipy.spatial import KDTree

from farfield.graphs.neighbours import Graph

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

SAME = 1e-4  # Å: by how much an atom may miss the image of another
FEW = 8  # atoms that a translation is tried with first
AT_THE_CUTOFF = 1.0 - 1e-5  # in cutoffs: whether such an edge exists is a matter of rounding


def primitive(graph: Graph) -> tuple[Graph, Ints]:
    """The graph of the smallest cell, and the place there of each atom, shape (N,).

    Its edges have the mean lengths of those that they stand for. A graph without translations,
    or whose edges do not repeat with them (a neighbour cap that cuts through a shell), is
    returned as it is.
    """
    itself = graph, np.arange(graph.n_atoms)
    periodic = np.flatnonzero(graph.pbc)
    if not len(periodic) or not graph.n_edges:
        return itself
    found = _translations(graph, periodic)
    if found is None:
        return itself
    basis, permutations = found
    return _folded(graph, periodic, basis, permutations) or itself


def _translations(graph: Graph, periodic: Ints) -> tuple[Floats, list[Ints]] | None:
    """Basis of the lattice of translations, and the permutations of atoms that generate them.

    The basis is in units of the cell, shape (P, P). None where there are no others than the
    cell's.
    """
    atom, others = _alike(graph)
    if not len(others):
        return None
    cell = _complete(graph, periodic)
    places = graph.positions @ np.linalg.inv(cell)  # (N, 3)
    wrapped = places.copy()
    wrapped[:, periodic] %= 1.0
    wrapped[:, periodic] %= 1.0  # what rounding left at one
    box = np.where(graph.pbc, 1.0, 0.0)
    tree = KDTree(wrapped, boxsize=box)

    def image(shifts: Floats, atoms: Ints) -> tuple[Ints, npt.NDArray[np.bool_]]:
        """The atom nearest to each of ``atoms`` displaced, and whether it is its image."""
        wanted = wrapped[atoms] + shifts
        wanted[..., periodic] %= 1.0
        wanted[..., periodic] %= 1.0
        met = tree.query(wanted)[1]
        missed = wrapped[met] - wanted
        missed[..., periodic] -= np.round(missed[..., periodic])
        near = np.linalg.norm(missed @ cell, axis=-1) < SAME
        return met, near & (graph.numbers[met] == graph.numbers[atoms])

    shifts = places[others] - places[atom]  # (C, 3)
    shifts[:, periodic] -= np.round(shifts[:, periodic])
    few, every = np.arange(min(graph.n_atoms, FEW)), np.arange(graph.n_atoms)
    shifts = shifts[image(shifts[:, None], few)[1].all(axis=1)]
    shifts = shifts[np.argsort(np.linalg.norm(shifts @ cell, axis=1), kind="stable")]
    basis, known, permutations = np.eye(len(periodic)), [], []
    while len(shifts):
        shift = shifts[0]
        permutation, met = image(shift, every)
        fits = met.all() and len(np.unique(permutation)) == graph.n_atoms
        if fits:
            order = _order(permutation, atom)
            known.append((np.round(order * shift[periodic]).astype(np.int64), order))
            permutations.append(permutation)
            basis = _basis(known, len(periodic))
        parts = shifts[:, periodic] - (0.0 if fits else shift[periodic])
        left = parts @ np.linalg.inv(basis)
        left -= np.round(left)  # what the lattice of translations leaves of them
        shifts = shifts[np.linalg.norm(left @ basis @ cell[periodic], axis=1) > 10 * SAME]
    return (basis, permutations) if permutations else None


def _alike(graph: Graph) -> tuple[int, Ints]:
    """An atom with a rare neighbourhood, and the other atoms that have the same."""
    inner = (1.0 - graph.distances / graph.cutoff) ** 3
    prints = np.bincount(graph.senders, inner, graph.n_atoms)
    most = np.bincount(graph.senders, minlength=graph.n_atoms).max()
    rarest = np.argmin(np.bincount(graph.numbers)[graph.numbers])
    element = np.flatnonzero(graph.numbers == graph.numbers[rarest])
    atom = int(element[np.argmax(prints[element])])
    close = np.abs(prints[element] - prints[atom]) < 6.0 * SAME * most / graph.cutoff
    return atom, element[close & (element != atom)]


def _complete(graph: Graph, periodic: Ints) -> Floats:
    """The cell with unit vectors at right angles in place of those that are not periodic."""
    cell = graph.cell.copy()
    rest = np.linalg.svd(cell[periodic])[2][len(periodic) :]
    cell[[axis for axis in range(3) if axis not in periodic]] = rest
    return cell


def _order(permutation: Ints, atom: int) -> int:
    """After how many applications a translation is back at the start."""
    count, place = 1, permutation[atom]
    while place != atom:
        count, place = count + 1, permutation[place]
    return count


def _basis(known: list[tuple[Ints, int]], count: int) -> Floats:
    """Basis of the lattice that the cell and some fractions of its vectors span.

    A fraction is given as whole numbers of steps, shape (P,), and how many make a cell vector.
    """
    steps = lcm(*(order for _, order in known))
    rows = [steps * row for row in np.eye(count, dtype=np.int64)]
    rows += [row * (steps // order) for row, order in known]
    matrix = np.array(rows)
    for column in range(count):  # Euclid's algorithm, until one row has an entry
        while True:
            filled = column + np.flatnonzero(matrix[column:, column])
            least = filled[np.argmin(np.abs(matrix[filled, column]))]
            matrix[[column, least]] = matrix[[least, column]]
            others = matrix[column + 1 :, column] // matrix[column, column]
            matrix[column + 1 :] -= others[:, None] * matrix[column]
            if not matrix[column + 1 :, column].any():
                break
    return np.asarray(matrix[:count] / steps)


def _folded(
    graph: Graph, periodic: Ints, basis: Floats, permutations: list[Ints]
) -> tuple[Graph, Ints] | None:
    """One of each set of equivalent atoms, and one of each set of equivalent edges."""
    every = np.arange(graph.n_atoms)
    links = (np.tile(every, len(permutations)), np.concatenate(permutations))
    shape = (graph.n_atoms, graph.n_atoms)
    ones = np.ones(len(links[0]), dtype=np.int8)
    count, group = connected_components(coo_array((ones, links), shape=shape), directed=False)
    first = np.full(count, graph.n_atoms)
    np.minimum.at(first, group, every)
    copies = graph.n_atoms // count
    back = np.linalg.inv(basis)
    shifts = graph.positions - graph.positions[first[group]]
    inverse = np.linalg.inv(_complete(graph, periodic))
    moved = np.round((shifts @ inverse)[:, periodic] @ back).astype(np.int64)  # (N, P)
    whole = np.round(back).astype(np.int64)
    hops = graph.shifts[:, periodic] @ whole + moved[graph.receivers] - moved[graph.senders]
    edges = np.column_stack([group[graph.senders], group[graph.receivers], hops])
    kept, kind, counts = np.unique(edges, axis=0, return_inverse=True, return_counts=True)
    lengths = np.bincount(kind.ravel(), graph.distances) / counts
    complete = counts == copies
    if np.any(lengths[~complete] < AT_THE_CUTOFF * graph.cutoff):
        return None
    cell = graph.cell.copy()
    cell[periodic] = basis @ graph.cell[periodic]
    images = np.zeros((len(kept), 3), dtype=np.int64)
    images[:, periodic] = kept[:, 2:]
    reduced = replace(
        graph,
        numbers=graph.numbers[first],
        positions=graph.positions[first],
        cell=cell,
        senders=kept[complete, 0],
        receivers=kept[complete, 1],
        shifts=images[complete],
        distances=lengths[complete],
    )
    return reduced, group.astype(np.int64)
