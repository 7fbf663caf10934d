"""Graphs of structures, their Laplacians and spectra. Knows numpy, scipy, vesin, nothing above."""

from farfield.graphs.batched import local_densities, neighbour_graphs, sorted_spectra
from farfield.graphs.clusters import coarse, coarse_densities
from farfield.graphs.criteria import CRITERIA, Criterion
from farfield.graphs.densities import (
    cumulative,
    nearest,
    wasserstein,
    wasserstein_table,
)
from farfield.graphs.keys import content_key, mixed
from farfield.graphs.laplacian import adjacency, bloch_laplacians, envelope, laplacian
from farfield.graphs.neighbours import Graph, neighbour_graph
from farfield.graphs.primitive import primitive
from farfield.graphs.reference_sums import References, criteria_of, references
from farfield.graphs.several_radii import spectra_within
from farfield.graphs.spectra import (
    EXACT_ATOMS,
    density_with_error,
    is_large,
    local_spectrum,
    padded,
    padded_distance,
    share_near_one,
    spectral_density,
    spectrum,
    unnormalised_quantiles,
)
from farfield.graphs.stochastic import Estimate, estimate

__all__ = [
    "CRITERIA",
    "EXACT_ATOMS",
    "Criterion",
    "Estimate",
    "Graph",
    "References",
    "adjacency",
    "bloch_laplacians",
    "coarse",
    "coarse_densities",
    "content_key",
    "criteria_of",
    "cumulative",
    "density_with_error",
    "envelope",
    "estimate",
    "is_large",
    "laplacian",
    "local_densities",
    "local_spectrum",
    "mixed",
    "nearest",
    "neighbour_graph",
    "neighbour_graphs",
    "padded",
    "padded_distance",
    "primitive",
    "references",
    "share_near_one",
    "sorted_spectra",
    "spectra_within",
    "spectral_density",
    "spectrum",
    "unnormalised_quantiles",
    "wasserstein",
    "wasserstein_table",
]
