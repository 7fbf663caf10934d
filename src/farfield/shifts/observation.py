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
from farfield.potentials.contract import Potential, Prediction
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
    """

    graph: Graph
    forces: Floats | None = None
    features: Floats | None = None

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
) -> list[Observation]:
    """Compute what the detectors need, with one prediction of the model per structure.

    Parameters
    ----------
    structures
        The structures; their labels are not looked at.
    potential
        The model: its graph, its forces as the proxy, and its features.
    cutoff
        Radius of the graph, Å, when there is no model, or when the model does not tell.
    prior_labels
        A prior's labels of the same structures: the proxy forces when there is no model.

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
    if potential is not None:
        predictions = potential.predict(structures)
        for atoms, prediction in zip(structures, predictions, strict=True):
            _require_finite(atoms, prediction, potential)
        return [
            Observation(graph, prediction.forces, prediction.features)
            for graph, prediction in zip(graphs, predictions, strict=True)
        ]
    if prior_labels is not None:
        return [
            Observation(graph, None if isinstance(labels, Failure) else labels.forces)
            for graph, labels in zip(graphs, prior_labels, strict=True)
        ]
    return [Observation(graph) for graph in graphs]


def _require_finite(atoms: Atoms, prediction: Prediction, potential: Potential) -> None:
    for what, values in (("forces", prediction.forces), ("node features", prediction.features)):
        if values is not None and not np.isfinite(values).all():
            index = int(np.flatnonzero(~np.isfinite(values).all(axis=1))[0])
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
