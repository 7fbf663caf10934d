"""The axis of connectivity: the spectral density against the nearest training structure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, final

import numpy as np

from farfield.graphs import EXACT_ATOMS
from farfield.shifts.contract import Described, Detector, Score, State
from farfield.shifts.observation import look
from farfield.shifts.remembered.densities import (
    coarse_blocks,
    decoded,
    nearest_distances,
    nearest_local_distances,
)
from farfield.shifts.remembered.subsample import first_of_each, same_element, spread

if TYPE_CHECKING:
    from farfield.shifts.observation import Observation
    from farfield.shifts.remembered.memory import Memory

KEPT_STRUCTURES = 256
KEPT_ATOMS = 128  # per element


@final
class Connectivity(Detector):
    """Wasserstein-1 distance of the spectral density to the nearest training structure.

    The Laplacian is normalised, and edges are weighted by the envelope that their messages
    have in the model (:func:`farfield.graphs.envelope`): with plain edge counts, molecules
    smaller than the cutoff are complete graphs and all look alike. An atom's score is the
    same distance between local densities, against training atoms of its element.

    Of structures above EXACT_ATOMS atoms the density is an estimate, whose error stands in the
    reason, and atoms are compared by the first moments of their local densities alone
    (:func:`farfield.graphs.coarse_densities`).

    The share of eigenvalues in [0.9, 1.1] is that of the plain graph of the cell, as in
    arXiv 2503.08674.
    """

    axis = "connectivity"
    default = True
    title = "Connectivity"
    unit = "Wasserstein-1 distance of Laplacian spectra"
    explanation = (
        "Distance between the spectrum of the structure's graph Laplacian and that of the "
        "nearest training structure; edges count by the weight of their messages."
    )

    def missing(self, seen: Described) -> str | None:
        return None

    def fit(self, memory: Memory) -> State:
        densities = np.stack([one.density for one in memory.structures.values()])
        shares = [one.share_near_one for one in memory.structures.values()]
        numbers, local = memory.atoms("local_densities")
        kept = first_of_each(numbers, KEPT_ATOMS)
        return {
            "densities": densities[spread(decoded(densities), KEPT_STRUCTURES)],
            "atom_densities": local[kept],
            "atom_numbers": numbers[kept],
            "share_near_one": np.array(np.mean(shares)),
        }

    def score(self, seen: Described, state: State) -> Score:
        return _scores([seen], state)[0]

    def score_all(self, seen: Sequence[Observation], state: State) -> list[Score]:
        look(seen)
        return _scores(seen, state)


def _scores(seen: Sequence[Described], state: State) -> list[Score]:
    """Scores of all structures, from one table of distances and one more for each element."""
    if not seen:
        return []
    wholes = nearest_distances(np.stack([one.density for one in seen]), state["densities"])
    counts = [len(one.local_densities) for one in seen]
    numbers = np.concatenate([one.numbers[:count] for one, count in zip(seen, counts, strict=True)])
    large = np.repeat([one.n_atoms > EXACT_ATOMS for one in seen], counts)
    local = np.concatenate([one.local_densities for one in seen])
    atoms = np.zeros(len(local))
    for number in np.unique(numbers):
        known = state["atom_densities"][same_element(state["atom_numbers"], number)]
        for chosen, compared in ((~large, known), (large, None)):
            places = np.flatnonzero(chosen & (numbers == number))
            if len(places):
                compared = coarse_blocks(known) if compared is None else compared
                atoms[places] = nearest_local_distances(local[places], compared)
    parts = np.split(atoms, np.cumsum(counts)[:-1])
    trained = 100 * float(state["share_near_one"])
    return [
        Score(
            structure=float(distance),
            atoms=part,
            reason=f"its graph's spectrum lies {distance:.4f} {_error(one)}from the nearest "
            f"training spectrum ({100 * one.share_near_one:.0f} % of eigenvalues in [0.9, 1.1], "
            f"in training {trained:.0f} %)",
        )
        for one, distance, part in zip(seen, wholes, parts, strict=True)
    ]


def _error(seen: Described) -> str:
    error = getattr(seen, "density_error", None)
    return "" if error is None else f"(± {error:.4f}, estimated) "
