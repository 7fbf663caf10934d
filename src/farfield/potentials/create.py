"""Build a new, untrained model of a named architecture."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ase import Atoms
from pydantic import BaseModel

from farfield.errors import ConfigError, did_you_mean
from farfield.graphs import neighbour_graph
from farfield.potentials.adapters import MODULES, adapter, architectures
from farfield.potentials.gemnet.settings import ARCHITECTURES as GEMNET
from farfield.potentials.gemnet.settings import GemnetSettings
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
    checked = checked_settings(architecture, settings)
    potential = _create(architecture, checked, structures, heads, scales, seed)
    potential.metadata["architecture"] = architecture
    return potential


def checked_settings(
    architecture: str, settings: dict[str, Any], where: str = "architecture"
) -> BaseModel:
    """The settings of an architecture as it takes them; ``where`` is said in errors.

    Raises
    ------
    ConfigError
        There is no such architecture, or a setting is unknown or has an impossible value.
    DependencyError
        Its package is not installed.
    """
    if architecture not in (known := architectures()):
        hint = did_you_mean(architecture, known)
        raise ConfigError(f"{where}: unknown architecture {architecture!r}{hint}")
    kind: type[BaseModel]
    if architecture not in MODULES:
        kind = adapter(architecture).Settings
    elif architecture in GEMNET:
        kind = GemnetSettings
    elif architecture in GRAPHPES:
        kind = GRAPHPES[architecture]
    else:
        from farfield.potentials.mace import MaceSettings

        kind = MaceSettings
    return validated(kind, settings, where)


def _create(
    architecture: str,
    settings: Any,
    structures: Sequence[Atoms],
    heads: dict[str, dict[int, float]],
    scales: dict[str, float],
    seed: int,
) -> TrainablePotential:
    if architecture not in MODULES:
        built: TrainablePotential = adapter(architecture).create(
            settings, structures, heads, scales, seed
        )
        return built
    if architecture in GEMNET:
        from farfield.potentials.gemnet import create_gemnet

        return create_gemnet(architecture, structures, settings, heads, scales, seed)
    neighbours = _mean_neighbours(structures, settings.cutoff)
    if architecture in GRAPHPES:
        from farfield.potentials.graphpes import create_graphpes

        return create_graphpes(architecture, settings, heads, scales, neighbours, seed)
    from farfield.potentials.mace import create_mace

    return create_mace(settings, heads, scales, neighbours, seed)


def _mean_neighbours(structures: Sequence[Atoms], cutoff: float) -> float:
    graphs = [neighbour_graph(atoms, cutoff) for atoms in structures]
    return sum(graph.n_edges for graph in graphs) / sum(graph.n_atoms for graph in graphs)
