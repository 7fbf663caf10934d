"""Graphs of structures, their Laplacians and spectra. Knows numpy, vesin and nothing above."""

from farfield.graphs.neighbours import Graph, neighbour_graph

__all__ = ["Graph", "neighbour_graph"]
