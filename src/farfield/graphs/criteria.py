"""How far a graph is from those of training: the criteria by which a radius can be chosen.

A criterion describes a graph by a vector, remembers a summary of the training graphs'
vectors, and measures the distance of a graph's own vector from it. All look at the graph
within a radius; edges are counted, or weighted by an envelope that ends at that radius.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from types import MappingProxyType
from typing import final

import numpy as np
import numpy.typing as npt

from farfield.graphs.densities import cumulative, quantiles, wasserstein, wasserstein_table
from farfield.graphs.laplacian import envelope, laplacian
from farfield.graphs.neighbours import Graph
from farfield.graphs.radius_search import (
    interpolated,
    search,
    stretched_about_one,
    stretched_from_zero,
)
from farfield.graphs.spectra import (
    padded_distance,
    spectral_density,
    spectrum,
    unnormalised_quantiles,
)
from farfield.graphs.within import Within

Floats = npt.NDArray[np.float64]

LEVELS = 64  # quantiles by which spectra are guessed, and unnormalised ones remembered


class Criterion(ABC):
    """A distance of graphs from the training graphs.

    Attributes
    ----------
    name
        For the command line.
    title
        What is compared, in words.
    averaged
        Whether the mean of the training graphs' vectors is remembered, or a sample of them
        (:class:`farfield.graphs.References`).
    """

    name: str
    title: str
    averaged = True

    @abstractmethod
    def describe(self, graph: Graph) -> Floats:
        """What is compared, a vector."""

    def distance(self, described: Floats, reference: Floats) -> float:
        """How far a vector is from the summary: the mean difference of the components."""
        return float(np.abs(described - reference).mean())

    def distances(self, graph: Graph, radii: Sequence[float], reference: Floats) -> Floats:
        """The distance of the graph within each radius (Å), shape (K,).

        ``graph`` reaches the largest radius; the others are cut from it.
        """
        described = [self.describe(graph.within(radius)) for radius in radii]
        return np.array([self.distance(vector, reference) for vector in described])

    def search(self, graph: Graph, radii: Sequence[float], reference: Floats) -> Floats:
        """The same where it may be least, and at the last radius; infinity elsewhere, shape (K,).

        For choosing: criteria that compute spectra look at few of the radii
        (:mod:`farfield.graphs.radius_search`).
        """
        return self.distances(graph, radii, reference)


@final
class Padded(Criterion):
    """The paper's: sorted, zero-padded spectra against their training mean (2503.08674)."""

    name = "paper"
    title = "sorted spectrum, padded with zeros, against the mean of training"

    def describe(self, graph: Graph) -> Floats:
        return spectrum(graph)

    def distance(self, described: Floats, reference: Floats) -> float:
        return padded_distance(described, reference)

    def search(self, graph: Graph, radii: Sequence[float], reference: Floats) -> Floats:
        seen = Within(graph)
        if not seen.is_molecule:
            return self.distances(graph, radii, reference)
        spectra = seen.spectra(radii, weighted=False)
        return np.array([padded_distance(values, reference) for values in spectra])


@final
class Density(Criterion):
    """Wasserstein-1 between spectral densities; edges weighted."""

    name = "density"
    title = "spectral density of the normalised Laplacian against the mean of training"

    def describe(self, graph: Graph) -> Floats:
        return spectral_density(graph, weighted=True)

    def distance(self, described: Floats, reference: Floats) -> float:
        return float(wasserstein(described, reference))

    def search(self, graph: Graph, radii: Sequence[float], reference: Floats) -> Floats:
        seen = Within(graph)
        if seen.is_small:
            return wasserstein(cumulative(seen.spectra(radii)), reference)

        def look(place: int) -> tuple[float, Floats]:
            if seen.is_molecule:
                levels = cumulative(seen.eigenvalues(radii[place]))
            else:
                levels = self.describe(graph.within(radii[place]))
            return self.distance(levels, reference), quantiles(levels, LEVELS)

        widths = interpolated(seen.widths, radii)
        return search(widths, quantiles(reference, LEVELS), look, stretched_about_one, seen.doubt)


@final
class Nearest(Criterion):
    """The same distance to the nearest training structure, as the axis of connectivity has it."""

    name = "nearest"
    title = "spectral density of the normalised Laplacian against the nearest of training"
    averaged = False

    def describe(self, graph: Graph) -> Floats:
        return spectral_density(graph, weighted=True)

    def distance(self, described: Floats, reference: Floats) -> float:
        return float(wasserstein_table(described[None], reference).min())

    def search(self, graph: Graph, radii: Sequence[float], reference: Floats) -> Floats:
        seen = Within(graph)
        if not seen.is_molecule:
            return self.distances(graph, radii, reference)
        table = wasserstein_table(cumulative(seen.spectra(radii)), reference)
        return np.asarray(table.min(axis=1))


@final
class Unnormalised(Criterion):
    """Wasserstein-1 between the spectra of D - A, which grow with the number of neighbours."""

    name = "unnormalised"
    title = "spectral density of the unnormalised Laplacian against the mean of training"

    def describe(self, graph: Graph) -> Floats:
        if not Within(graph).is_molecule:
            return unnormalised_quantiles(graph, LEVELS)
        return evenly(np.linalg.eigvalsh(laplacian(graph, normalised=False, weighted=True)))

    def search(self, graph: Graph, radii: Sequence[float], reference: Floats) -> Floats:
        seen = Within(graph)
        if seen.is_small:
            spectra = seen.spectra(radii, normalised=False)
            return np.array([self.distance(evenly(values), reference) for values in spectra])

        def look(place: int) -> tuple[float, Floats]:
            if seen.is_molecule:
                values = evenly(seen.eigenvalues(radii[place], normalised=False))
            else:
                values = self.describe(graph.within(radii[place]))
            return self.distance(values, reference), values

        return search(seen.coordinations(radii), reference, look, stretched_from_zero, seen.doubt)


@final
class Width(Criterion):
    """Root mean square distance of the eigenvalues from one, without an eigenvalue; nearly free.

    Their mean is one for every graph, so the width is the first thing that a spectrum tells.
    """

    name = "width"
    title = "width of the normalised Laplacian's spectrum against the mean of training"

    def describe(self, graph: Graph) -> Floats:
        return Within(graph).widths([graph.cutoff])

    def distances(self, graph: Graph, radii: Sequence[float], reference: Floats) -> Floats:
        found: Floats = np.abs(Within(graph).widths(radii) - reference)
        return found


@final
class Coordination(Criterion):
    """Mean number of neighbours, plain counts; nearly free."""

    name = "coordination"
    title = "mean number of neighbours against the mean of training"

    def describe(self, graph: Graph) -> Floats:
        return np.array([graph.n_edges / graph.n_atoms])

    def distances(self, graph: Graph, radii: Sequence[float], reference: Floats) -> Floats:
        counts = np.searchsorted(np.sort(graph.distances), radii)  # shorter than each radius
        return np.abs(counts / graph.n_atoms - reference)


@final
class WeightedCoordination(Criterion):
    """Mean number of neighbours, each counted by the weight of its message; nearly free."""

    name = "weighted-coordination"
    title = "mean sum of the weights of an atom's edges against the mean of training"

    def describe(self, graph: Graph) -> Floats:
        return np.array([envelope(graph.distances, graph.cutoff).sum() / graph.n_atoms])

    def distances(self, graph: Graph, radii: Sequence[float], reference: Floats) -> Floats:
        found: Floats = np.abs(Within(graph).coordinations(radii) - reference)
        return found


def evenly(values: npt.NDArray[np.floating]) -> Floats:
    """Evenly spaced quantiles of ascending eigenvalues, shape (LEVELS,)."""
    places = (np.arange(LEVELS) + 0.5) / LEVELS * (len(values) - 1)
    return np.asarray(np.interp(places, np.arange(len(values)), values))


CRITERIA = MappingProxyType(
    {
        criterion.name: criterion
        for criterion in (
            Padded(),
            Density(),
            Nearest(),
            Unnormalised(),
            Width(),
            Coordination(),
            WeightedCoordination(),
        )
    }
)
