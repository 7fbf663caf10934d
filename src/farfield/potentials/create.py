"""Build a new, untrained model of a named architecture."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ase import Atoms

from farfield.errors import ConfigError, did_you_mean
from farfield.graphs import neighbour_graph
from farfield.potentials.adapters import MODULES, adapter, architectures
from farfield.potentials.gemnet.settings import ARCHITECTURES as GEMNET
from farfield.potentials.graphpes.settings import SETTINGS as GRAPHPES
from farfield.potentials.trainable import TrainablePotential
from farfield.settings import validated


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
        The training structures, from which it learns the mean number of neighbours, or what
        else it must know before training.
    heads
        For each head, main head first: isolated-atom energies (eV) by atomic number.
    scales
        For each head, the root mean square force component, eV/Å.
    seed
        Of the random weights.
    """
    if architecture not in (known := architectures()):
        hint = did_you_mean(architecture, known)
        raise ConfigError(f"unknown architecture {architecture!r}{hint}")
    potential = _create(architecture, settings, structures, heads, scales, seed)
    potential.metadata["architecture"] = architecture
    return potential


def _create(
    architecture: str,
    settings: dict[str, Any],
    structures: Sequence[Atoms],
    heads: dict[str, dict[int, float]],
    scales: dict[str, float],
    seed: int,
) -> TrainablePotential:
    where = "architecture"
    if architecture not in MODULES:
        other = adapter(architecture)
        checked = validated(other.Settings, settings, where)
        built: TrainablePotential = other.create(checked, structures, heads, scales, seed)
        return built
    if architecture in GEMNET:
        from farfield.potentials.gemnet import GemnetSettings, create_gemnet

        gemnet = validated(GemnetSettings, settings, where)
        return create_gemnet(architecture, structures, gemnet, heads, scales, seed)
    if architecture in GRAPHPES:
        from farfield.potentials.graphpes import create_graphpes

        size = validated(GRAPHPES[architecture], settings, where)
        neighbours = _mean_neighbours(structures, size.cutoff)
        return create_graphpes(architecture, size, heads, scales, neighbours, seed)
    from farfield.potentials.mace import MaceSettings, create_mace

    mace = validated(MaceSettings, settings, where)
    neighbours = _mean_neighbours(structures, mace.cutoff)
    return create_mace(mace, heads, scales, neighbours, seed)


def _mean_neighbours(structures: Sequence[Atoms], cutoff: float) -> float:
    graphs = [neighbour_graph(atoms, cutoff) for atoms in structures]
    return sum(graph.n_edges for graph in graphs) / sum(graph.n_atoms for graph in graphs)
