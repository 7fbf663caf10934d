"""What the detectors look at: each structure's graph, forces and features, seen once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
from ase import Atoms

from farfield.errors import ModelError, ProfileError
from farfield.graphs import (
    Graph,
    coarse_densities,
    content_key,
    criteria_of,
    density_with_error,
    is_large,
    local_densities,
    neighbour_graphs,
    share_near_one,
    sorted_spectra,
    spectral_density,
    spectrum,
    unnormalised_quantiles,
)
from farfield.potentials.contract import Potential
from farfield.potentials.residual import residual_of
from farfield.priors import Failure, Prior
from farfield.shifts.axes.committee import disagreement
from farfield.shifts.contract import ELEMENTS, Norms
from farfield.shifts.remembered.densities import BLOCKS, Codes, blocks, coded
from farfield.structures import Labels, describe

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

LEVELS = (np.arange(32) + 0.5) / 32


@dataclass(frozen=True)
class Observation:
    """One structure of N atoms as the detectors see it.

    What they compare is in :class:`farfield.shifts.contract.Described`, and computed when it
    is first asked for.

    Attributes
    ----------
    graph
        The model's own graph, or the graph within a given cutoff.
    forces
        Proxy forces, shape (N, 3), eV/Å, by the model itself or by a prior; never reference
        labels. None when there is no proxy.
    features
        The model's node features, shape (N, F), or None.
    residual
        Forces of the model's prior head less those of the prior, shape (N, 3), eV/Å, or None.
    prior_failure
        Why the prior gave no labels for this structure, where it was asked and failed.
    prior_forces
        Forces of the prior beside those of the model, shape (N, 3), eV/Å, or None.
    force_error
        Forces of the model less reference forces, shape (N, 3), eV/Å: of held-out structures
        that calibrate an error estimate, and None of all others.
    disagreement
        Standard deviation of the force over a committee, shape (N, 3), eV/Å, or None.
    """

    graph: Graph
    forces: Floats | None = None
    features: Floats | None = None
    residual: Floats | None = None
    prior_failure: str | None = None
    prior_forces: Floats | None = None
    force_error: Floats | None = None
    disagreement: Floats | None = None

    @cached_property
    def key(self) -> int:
        """The same for the same geometry, and hardly ever for another."""
        return content_key(self.graph)

    @cached_property
    def criteria(self) -> dict[str, Floats]:
        """What the criteria of radius refinement say of the graph."""
        return criteria_of(self.graph)

    @property
    def n_atoms(self) -> int:
        """See :class:`Described`, as for all that follow."""
        return self.graph.n_atoms

    @property
    def cutoff(self) -> float:
        return self.graph.cutoff

    @property
    def numbers(self) -> Ints:
        return self.graph.numbers

    @property
    def weights(self) -> Floats:
        return np.full(self.n_atoms, 1.0 / self.n_atoms)

    @cached_property
    def composition(self) -> Ints:
        return np.bincount(self.graph.numbers, minlength=ELEMENTS)

    @cached_property
    def atom_pairs(self) -> tuple[Ints, Ints, Ints]:
        own = self.graph.numbers[self.graph.senders]
        others = self.graph.numbers[self.graph.receivers]
        return self.graph.senders, others, pair_codes(own, others)

    @cached_property
    def pairs(self) -> Ints:
        return np.unique(self.atom_pairs[2])

    @cached_property
    def _density(self) -> tuple[Floats, float | None]:
        """The density of a large graph, and its error."""
        return density_with_error(self.graph, weighted=True)

    @property
    def density_error(self) -> float | None:
        """By how much a distance of the density may be wrong; None where it is exact."""
        return self._density[1] if is_large(self.graph) else None

    @cached_property
    def density(self) -> Codes:
        if is_large(self.graph):
            return coded(self._density[0])
        look([self])
        return self.density

    @cached_property
    def local_densities(self) -> Codes:
        if not is_large(self.graph):
            look([self])
            return self.local_densities
        found = np.zeros((self.n_atoms, BLOCKS), dtype=np.uint16)
        for atoms, levels in coarse_densities(self.graph, weighted=True):
            found[atoms] = blocks(levels)
        return found

    @cached_property
    def plain_density(self) -> Codes:
        return blocks(spectral_density(self.graph))

    @cached_property
    def unnormalised(self) -> Floats:
        return unnormalised_quantiles(self.graph, len(LEVELS))

    @cached_property
    def degrees(self) -> Floats:
        return np.bincount(self.graph.senders, minlength=self.n_atoms).astype(float)

    @cached_property
    def coordination(self) -> Floats:
        return np.quantile(self.degrees, LEVELS, method="inverted_cdf")

    @cached_property
    def spectrum(self) -> Floats:
        return spectrum(self.graph)

    @property
    def share_near_one(self) -> float:
        return share_near_one(self.spectrum)

    def norms(self, name: str) -> Norms | None:
        return self._norms[name]

    @cached_property
    def _norms(self) -> dict[str, Norms | None]:
        vectors = {
            "force_norm": self.forces,
            "prior_force_norm": self.prior_forces,
            "prior_residual": self.residual,
            "force_error": self.force_error,
            "committee": self.disagreement,
        }
        return {name: None if rows is None else _norms(rows) for name, rows in vectors.items()}


def _norms(vectors: Floats) -> Norms:
    atoms = np.linalg.norm(vectors, axis=1)
    return Norms(float(atoms.mean()), atoms)


def pair_codes(first: Ints, second: Ints) -> Ints:
    """Two atomic numbers as one number, 119 * smaller + larger, of the same shape."""
    return np.asarray(ELEMENTS * np.minimum(first, second) + np.maximum(first, second))


def look(observations: Sequence[Observation]) -> None:
    """Compute the spectra of many small structures together, before they are asked for."""
    waiting = [
        one for one in observations if "density" not in vars(one) and not is_large(one.graph)
    ]
    if not waiting:
        return
    graphs = [one.graph for one in waiting]
    levels = np.concatenate(local_densities(graphs, weighted=True))  # (atoms of all, grid)
    sizes = np.array([one.n_atoms for one in waiting])
    ends = np.cumsum(sizes)
    wholes = coded(np.add.reduceat(levels, ends - sizes, axis=0) / sizes[:, None])
    atoms = np.split(blocks(levels), ends[:-1])
    for one, whole, local, values in zip(
        waiting, wholes, atoms, sorted_spectra(graphs), strict=True
    ):
        # Where cached properties keep what they found.
        vars(one).update(density=whole, local_densities=local, spectrum=values)


def observe(
    structures: Sequence[Atoms],
    *,
    potential: Potential | None = None,
    cutoff: float | None = None,
    prior_labels: Sequence[Labels | Failure] | None = None,
    prior_head: str | None = None,
    committee: Sequence[Potential] = (),
) -> list[Observation]:
    """Compute what the detectors need, with one prediction of each head per structure.

    Parameters
    ----------
    structures
        The structures; their labels are not looked at.
    potential
        The model: its graph, its forces as the proxy, and its features.
    cutoff
        Radius of the graph, Å, when there is no model, or when the model does not tell.
    prior_labels
        A prior's labels of the same structures: the proxy forces when there is no model;
        beside a model, a second proxy and what ``prior_head`` is compared with. Where the prior
        failed, the structure lacks these axes, and the observation holds the reason.
    prior_head
        The model's head for this prior: with ``prior_labels`` it gives the prior residual.
    committee
        Models that differ by their seed, at least two; none gives no disagreement.

    Raises
    ------
    ProfileError
        Neither a model with a known cutoff nor a cutoff was given.
    ModelError
        The model predicts something that is not a finite number.
    """
    if potential is not None and potential.cutoff is not None:
        graphs = [potential.graph(atoms) for atoms in structures]
    elif cutoff is not None:
        graphs = neighbour_graphs(structures, cutoff)
    else:
        raise ProfileError("the radius of the graph is not known: give --cutoff (Å)")
    nothing: list[Floats | None] = [None] * len(structures)
    outcomes = nothing if prior_labels is None else prior_labels
    known = [outcome if isinstance(outcome, Labels) else None for outcome in outcomes]
    failures = [outcome.reason if isinstance(outcome, Failure) else None for outcome in outcomes]
    forces = [None if labels is None else labels.forces for labels in known]
    features, residuals, beside = nothing, nothing, nothing
    if potential is not None:
        beside = forces
        predictions = potential.predict(structures)
        forces = [prediction.forces for prediction in predictions]
        features = [prediction.features for prediction in predictions]
        if prior_labels is not None and prior_head is not None:
            residuals = residual_of(potential, prior_head, known, structures)
        _require_finite(structures, "forces", forces, potential)
        _require_finite(structures, "node features", features, potential)
        _require_finite(structures, f"forces of the head {prior_head!r}", residuals, potential)
    spread = disagreement(committee, structures) if committee else nothing
    seen = zip(graphs, forces, features, residuals, failures, beside, nothing, spread, strict=True)
    return [Observation(*each) for each in seen]


def _require_finite(
    structures: Sequence[Atoms], what: str, values: Sequence[Floats | None], potential: Potential
) -> None:
    for atoms, value in zip(structures, values, strict=True):
        if value is not None and not np.isfinite(value).all():
            index = int(np.flatnonzero(~np.isfinite(value).all(axis=1))[0])
            raise ModelError(
                f"{describe(atoms)}: {potential.name} predicts {what} that are not finite "
                f"numbers, first at atom {index}: leave this structure out, or use another model"
            )


def force_source(potential: Potential | None, prior: Prior | None) -> str | None:
    """Name where the proxy forces come from, for people to read; None without a proxy."""
    if potential is not None:
        return f"the model's own forces ({potential.name})"
    if prior is not None:
        return f"forces of the prior {prior.name} ({prior.level_of_theory})"
    return None
