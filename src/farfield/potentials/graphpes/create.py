"""A graph-pes model built anew, from settings or from farfield's model file."""

from __future__ import annotations

from functools import partial
from typing import Any

import torch

from farfield.potentials.archive import Archive
from farfield.potentials.building import build, rebuild
from farfield.potentials.graphpes.library import contained, graphpes_models
from farfield.potentials.graphpes.network import GraphPesNetwork
from farfield.potentials.graphpes.settings import SETTINGS, GraphPesSettings
from farfield.potentials.headed import HeadedPotential
from farfield.potentials.network import HeadTable


def create_graphpes(
    architecture: str,
    settings: GraphPesSettings,
    heads: dict[str, dict[int, float]],
    scales: dict[str, float],
    mean_neighbours: float,
    seed: int,
) -> HeadedPotential:
    """Build an untrained model.

    Parameters
    ----------
    architecture
        ``"schnet"``, ``"painn"``, ``"nequip"`` or ``"tensornet"``.
    settings
        Size and shape.
    heads
        For each head, main head first: isolated-atom energies (eV) by atomic number. All
        heads must have the same elements, which are those the model will know.
    scales
        For each head, the root mean square of the forces, eV/Å.
    mean_neighbours
        Mean number of neighbours of an atom; its root divides the sums of NequIP's messages.
    seed
        Of the random weights.
    """
    arguments = {
        "settings": settings.model_dump(exclude={"dtype"}),
        "elements": sorted(next(iter(heads.values()))),
        "mean_neighbours": mean_neighbours,
    }

    def make(table: HeadTable) -> GraphPesNetwork:
        return _network(architecture, arguments, table)

    return build(make, heads, scales, getattr(torch, settings.dtype), seed)


def load(content: Archive, dtype: torch.dtype | None, device: str) -> HeadedPotential:
    """Rebuild a model from farfield's model file."""
    return rebuild(content, dtype, device, partial(_network, content.architecture))


def _network(architecture: str, arguments: dict[str, Any], table: HeadTable) -> GraphPesNetwork:
    models = graphpes_models()
    settings: Any = SETTINGS[architecture](**arguments["settings"])
    size: dict[str, Any] = settings.model_dump(include={"cutoff", "layers", "channels"})
    with contained():
        if architecture == "schnet":
            module = models.SchNet(**size, expansion_features=settings.n_gaussians)
        elif architecture == "painn":
            module = models.PaiNN(**size, radial_features=settings.n_radial)
        elif architecture == "tensornet":
            module = models.TensorNet(**size, radial_features=settings.n_radial)
        else:
            module = _nequip(models, size, settings, arguments)
    return GraphPesNetwork(architecture, module, arguments, table)


def _nequip(models: Any, size: dict[str, Any], settings: Any, arguments: dict[str, Any]) -> Any:
    """Build a NequIP whose element vectors begin as the one-hot vectors of the paper.

    graph-pes's own one-hot encoding runs in float32 alone.
    """
    elements = arguments["elements"]
    module = models.ZEmbeddingNequIP(
        cutoff=size["cutoff"],
        layers=size["layers"],
        features={
            "channels": size["channels"],
            "l_max": settings.max_ell,
            "use_odd_parity": settings.parity,
        },
        Z_embed_dim=len(elements),
        neighbour_aggregation="constant_fixed",
        radial_features=settings.n_bessel,
    )
    with torch.no_grad():
        module.Z_embedding._embeddings[elements] = torch.eye(len(elements))
        for layer in module.layers:
            layer.aggregation.scale.fill_(arguments["mean_neighbours"] ** 0.5)
    return module
