"""The axis of connectivity: the spectrum of the graph Laplacian against training spectra."""

from __future__ import annotations

from collections.abc import Sequence
from typing import final

import numpy as np

from farfield.graphs import padded, share_near_one, wasserstein_table
from farfield.shifts.contract import Detector, Floats, Score, State
from farfield.shifts.observation import Observation
from farfield.shifts.subsample import per_element, same_element, spread

KEPT_STRUCTURES = 256
KEPT_ATOMS = 64  # per element


@final
class Connectivity(Detector):
    """Wasserstein-1 distance of the spectral density to the nearest training structure.

    The Laplacian is normalised, and edges are weighted by the envelope that their messages
    have in the model (:func:`farfield.graphs.envelope`): with plain edge counts, molecules
    smaller than the cutoff are complete graphs and all look alike. An atom's score is the
    same distance between local densities, against training atoms of its element.

    The share of eigenvalues in [0.9, 1.1] and the mean spectrum are those of the plain
    graph of the cell, as in arXiv 2503.08674.
    """

    axis = "connectivity"
    title = "Connectivity"
    unit = "Wasserstein-1 distance of Laplacian spectra"
    explanation = (
        "Distance between the spectrum of the structure's graph Laplacian and that of the "
        "nearest training structure; edges count by the weight of their messages."
    )

    def missing(self, observation: Observation) -> str | None:
        return None

    def fit(self, observations: Sequence[Observation]) -> State:
        densities = np.stack([_density(observation) for observation in observations])
        numbers = np.concatenate([observation.graph.numbers for observation in observations])
        atoms = np.concatenate([observation.local_densities for observation in observations])
        kept = per_element(numbers, KEPT_ATOMS)
        plain = [observation.plain_spectrum for observation in observations]
        length = max(len(values) for values in plain)
        return {
            "densities": densities[spread(densities, KEPT_STRUCTURES)].astype(np.float32),
            "atom_densities": atoms[kept],
            "atom_numbers": numbers[kept],
            "mean_spectrum": np.mean([padded(values, length) for values in plain], axis=0),
            "share_near_one": np.array(np.mean([share_near_one(values) for values in plain])),
        }

    def score(self, observation: Observation, state: State) -> Score:
        graph = observation.graph
        references = state["densities"].astype(float)  # (kept, grid)
        distance = float(wasserstein_table(_density(observation)[None], references).min())
        local = observation.local_densities  # (N, grid)
        atoms = np.zeros(graph.n_atoms)
        for number in np.unique(graph.numbers):
            chosen = graph.numbers == number
            same = same_element(state["atom_numbers"], number)
            known = state["atom_densities"][same].astype(float)
            atoms[chosen] = wasserstein_table(local[chosen], known).min(axis=1)
        share = share_near_one(observation.plain_spectrum)
        return Score(
            structure=distance,
            atoms=atoms,
            reason=f"its graph's spectrum lies {distance:.4f} from the nearest training spectrum "
            f"({100 * share:.0f} % of eigenvalues in [0.9, 1.1], in training "
            f"{100 * float(state['share_near_one']):.0f} %)",
        )


def _density(observation: Observation) -> Floats:
    """Cumulative spectral density of the whole structure, shape (grid,)."""
    return np.asarray(observation.local_densities.mean(axis=0, dtype=float))
