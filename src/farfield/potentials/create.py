"""Build a new, untrained model of a named architecture."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from ase import Atoms
from pydantic import BaseModel

from farfield.errors import ConfigError, did_you_mean
from farfield.graphs import neighbour_graph
from farfield.potentials.contract import TrainablePotential
from farfield.potentials.graphpes.settings import SETTINGS as GRAPHPES
from farfield.settings import validated

ARCHITECTURES = ("mace", *GRAPHPES)


def create(
    architecture: str,
    settings: dict[str, Any],
    *,
    structures: Sequence[Atoms],
    heads: dict[str, dict[int, float]],
    scales: dict[str, float],
    seed: int,
) -> TrainablePotential:
    """Build an untrained model.

    Parameters
    ----------
    architecture
        Its name.
    settings
        Of the architecture, such as ``{"channels": 32}``; unknown keys are errors.
    structures
        The training structures, from which it learns the mean number of neighbours.
    heads
        For each head, main head first: isolated-atom energies (eV) by atomic number.
    scales
        For each head, the root mean square force component, eV/Å.
    seed
        Of the random weights.
    """
    if architecture not in ARCHITECTURES:
        hint = did_you_mean(architecture, ARCHITECTURES)
        raise ConfigError(f"unknown architecture {architecture!r}{hint}")
    model, build = _adapter(architecture)
    checked: Any = validated(model, settings, "architecture")
    graphs = [neighbour_graph(atoms, checked.cutoff) for atoms in structures]
    neighbours = sum(graph.n_edges for graph in graphs) / sum(graph.n_atoms for graph in graphs)
    potential = build(checked, heads, scales, neighbours, seed)
    potential.metadata["architecture"] = architecture
    return potential


def _adapter(architecture: str) -> tuple[type[BaseModel], Callable[..., TrainablePotential]]:
    """An architecture's settings, and the function that builds it from them."""
    if architecture in GRAPHPES:
        from farfield.potentials.graphpes import create_graphpes

        return GRAPHPES[architecture], partial(create_graphpes, architecture)
    from farfield.potentials.mace import MaceSettings, create_mace

    return MaceSettings, create_mace
