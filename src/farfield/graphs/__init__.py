"""Graphs of structures, their Laplacians and spectra. Knows numpy, vesin and nothing above."""

from farfield.graphs.criteria import CRITERIA, Criterion
from farfield.graphs.keys import content_key, mixed
from farfield.graphs.laplacian import adjacency, bloch_laplacians, envelope, laplacian
from farfield.graphs.neighbours import Graph, neighbour_graph
from farfield.graphs.reference_sums import References, criteria_of, references
from farfield.graphs.spectra import (
    cumulative,
    local_spectrum,
    padded,
    padded_distance,
    share_near_one,
    spectral_density,
    spectrum,
    wasserstein,
    wasserstein_table,
)

__all__ = [
    "CRITERIA",
    "Criterion",
    "Graph",
    "References",
    "adjacency",
    "bloch_laplacians",
    "content_key",
    "criteria_of",
    "cumulative",
    "envelope",
    "laplacian",
    "local_spectrum",
    "mixed",
    "neighbour_graph",
    "padded",
    "padded_distance",
    "references",
    "share_near_one",
    "spectral_density",
    "spectrum",
    "wasserstein",
    "wasserstein_table",
]
