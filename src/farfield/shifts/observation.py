"""What the detectors look at: each structure's graph, forces and features, seen once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
from ase import Atoms

from farfield.errors import ModelError, ProfileError
from farfield.graphs import Graph, cumulative, local_spectrum, neighbour_graph, spectrum
from farfield.potentials.contract import Potential
from farfield.potentials.residual import residual_of
from farfield.priors import Failure, Prior
from farfield.structures import Labels, describe

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Observation:
    """One structure of N atoms as the detectors see it.

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
    """

    graph: Graph
    forces: Floats | None = None
    features: Floats | None = None
    residual: Floats | None = None
    prior_failure: str | None = None

    @cached_property
    def local_densities(self) -> npt.NDArray[np.float32]:
        """Cumulative spectral density of each atom, edges weighted, shape (N, grid)."""
        values, weights = local_spectrum(self.graph, weighted=True)
        return cumulative(values, weights).astype(np.float32)  # 1 kB per atom

    @cached_property
    def plain_spectrum(self) -> Floats:
        """Eigenvalues of the Laplacian, edges counted, shape (N,)."""
        return spectrum(self.graph)


def observe(
    structures: Sequence[Atoms],
    *,
    potential: Potential | None = None,
    cutoff: float | None = None,
    prior_labels: Sequence[Labels | Failure] | None = None,
    prior_head: str | None = None,
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
        A prior's labels of the same structures: the proxy forces when there is no model,
        and what ``prior_head`` is compared with when there is one. Where the prior failed,
        the structure lacks that axis, and the observation holds the reason.
    prior_head
        The model's head for this prior: with ``prior_labels`` it gives the prior residual.

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
        graphs = [neighbour_graph(atoms, cutoff) for atoms in structures]
    else:
        raise ProfileError("the radius of the graph is not known: give --cutoff (Å)")
    nothing: list[Floats | None] = [None] * len(structures)
    outcomes = nothing if prior_labels is None else prior_labels
    known = [outcome if isinstance(outcome, Labels) else None for outcome in outcomes]
    failures = [outcome.reason if isinstance(outcome, Failure) else None for outcome in outcomes]
    forces = [None if labels is None else labels.forces for labels in known]
    features, residuals = nothing, nothing
    if potential is not None:
        predictions = potential.predict(structures)
        forces = [prediction.forces for prediction in predictions]
        features = [prediction.features for prediction in predictions]
        if prior_labels is not None and prior_head is not None:
            residuals = residual_of(potential, prior_head, known, structures)
        _require_finite(structures, "forces", forces, potential)
        _require_finite(structures, "node features", features, potential)
        _require_finite(structures, f"forces of the head {prior_head!r}", residuals, potential)
    seen = zip(graphs, forces, features, residuals, failures, strict=True)
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
