"""The axes of spectral densities: each against the nearest training structure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, final

import numpy as np

from farfield.graphs import EXACT_ATOMS
from farfield.shifts.contract import Described, Detector, Floats, Score, State
from farfield.shifts.densities import (
    blocks,
    coarse_blocks,
    decoded,
    distances,
    local_distances,
    nearest_distances,
    nearest_local_distances,
)
from farfield.shifts.observation import look
from farfield.shifts.subsample import first_of_each, same_element, spread

if TYPE_CHECKING:
    from farfield.shifts.memory import Memory
    from farfield.shifts.observation import Observation

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


@final
class PlainConnectivity(Detector):
    """The same distance with edges counted instead of weighted."""

    axis = "connectivity_plain"
    title = "Connectivity, edges counted"
    unit = "Wasserstein-1 distance of Laplacian spectra"
    explanation = (
        "Distance between the spectrum of the structure's graph Laplacian and that of the "
        "nearest training structure; every edge within the cutoff counts alike."
    )

    def missing(self, seen: Described) -> str | None:
        return None

    def fit(self, memory: Memory) -> State:
        densities = np.stack([one.plain_density for one in memory.structures.values()])
        return {"densities": densities[spread(decoded(densities), KEPT_STRUCTURES)]}

    def score(self, seen: Described, state: State) -> Score:
        distance = float(distances(seen.plain_density[None], state["densities"]).min())
        return Score(
            structure=distance,
            atoms=np.full(len(seen.numbers), distance),
            reason=f"the spectrum of its graph without weights lies {distance:.4f} from the "
            "nearest training spectrum",
        )


@final
class UnnormalisedConnectivity(Detector):
    """The same for the unnormalised Laplacian D − A, which grows with the number of neighbours."""

    axis = "connectivity_unnormalised"
    title = "Connectivity, unnormalised"
    unit = "Wasserstein-1 distance of spectra of D − A"
    explanation = (
        "Distance between the spectrum of the unnormalised graph Laplacian and that of the "
        "nearest training structure; edges count by the weight of their messages."
    )

    def missing(self, seen: Described) -> str | None:
        return None

    def fit(self, memory: Memory) -> State:
        return {"spectra": np.stack([one.unnormalised for one in memory.structures.values()])}

    def score(self, seen: Described, state: State) -> Score:
        gaps = np.abs(state["spectra"] - seen.unnormalised).mean(axis=1)
        distance = float(gaps.min())
        return Score(
            structure=distance,
            atoms=np.full(len(seen.numbers), distance),
            reason=f"the spectrum of its unnormalised Laplacian lies {distance:.3f} from the "
            "nearest training spectrum",
        )


@final
class MeanConnectivity(Detector):
    """Wasserstein-1 distance of the spectral density to the mean density of training.

    An atom's score is the distance of its local density to the same mean.
    """

    axis = "connectivity_mean"
    title = "Connectivity against the mean"
    unit = "Wasserstein-1 distance of Laplacian spectra"
    explanation = (
        "Distance between the spectrum of the structure's graph Laplacian and the mean spectrum "
        "of training; edges count by the weight of their messages."
    )

    def missing(self, seen: Described) -> str | None:
        return None

    def fit(self, memory: Memory) -> State:
        mean = memory.totals.density / memory.totals.count  # codes, no longer whole
        return {"density": mean, "local": blocks(decoded(mean))}

    def score(self, seen: Described, state: State) -> Score:
        distance = float(distances(seen.density[None], state["density"][None])[0, 0])
        local = seen.local_densities
        atoms: Floats = np.zeros(0)
        if len(local):
            atoms = local_distances(local, state["local"][None])[:, 0]
        return Score(
            structure=distance,
            atoms=atoms,
            reason=f"its graph's spectrum lies {distance:.4f} from the mean of training",
        )
