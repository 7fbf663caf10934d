"""The axis of connectivity: the spectral density against the nearest training structure."""

from __future__ import annotations

from typing import TYPE_CHECKING, final

import numpy as np

from farfield.shifts.contract import Described, Detector, Score, State
from farfield.shifts.densities import decoded, distances, local_distances
from farfield.shifts.subsample import first_of_each, same_element, spread

if TYPE_CHECKING:
    from farfield.shifts.memory import Memory

KEPT_STRUCTURES = 256
KEPT_ATOMS = 128  # per element


@final
class Connectivity(Detector):
    """Wasserstein-1 distance of the spectral density to the nearest training structure.

    The Laplacian is normalised, and edges are weighted by the envelope that their messages
    have in the model (:func:`farfield.graphs.envelope`): with plain edge counts, molecules
    smaller than the cutoff are complete graphs and all look alike. An atom's score is the
    same distance between local densities, against training atoms of its element.

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
        distance = float(distances(seen.density[None], state["densities"]).min())
        local = seen.local_densities
        numbers = seen.numbers[: len(local)]
        atoms = np.zeros(len(local))
        for number in np.unique(numbers):
            chosen = numbers == number
            known = state["atom_densities"][same_element(state["atom_numbers"], number)]
            atoms[chosen] = local_distances(local[chosen], known).min(axis=1)
        return Score(
            structure=distance,
            atoms=atoms,
            reason=f"its graph's spectrum lies {distance:.4f} from the nearest training spectrum "
            f"({100 * seen.share_near_one:.0f} % of eigenvalues in [0.9, 1.1], in training "
            f"{100 * float(state['share_near_one']):.0f} %)",
        )
