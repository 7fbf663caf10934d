"""A graph-pes model built anew, from settings or from farfield's model file."""

from __future__ import annotations

from typing import Any

import torch

from farfield.potentials import archive
from farfield.potentials.graphpes.library import contained, graphpes_models
from farfield.potentials.graphpes.network import GraphPesNetwork
from farfield.potentials.graphpes.settings import SETTINGS, GraphPesSettings
from farfield.potentials.headed import HeadedPotential
from farfield.potentials.network import HeadTable
from farfield.potentials.precision import default_dtype


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
    dtype = getattr(torch, settings.dtype)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        core = build(architecture, arguments, dtype)
    network = GraphPesNetwork(architecture, core, arguments, HeadTable(heads, scales))
    return HeadedPotential(network)


def build(architecture: str, arguments: dict[str, Any], dtype: torch.dtype) -> torch.nn.Module:
    """Build a graph-pes model; torch's random generator gives the weights."""
    models = graphpes_models()
    settings = SETTINGS[architecture](**arguments["settings"])
    size: dict[str, Any] = settings.model_dump(include={"cutoff", "layers", "channels"})
    with contained(), default_dtype(dtype):
        if architecture == "schnet":
            module = models.SchNet(**size, expansion_features=settings.n_gaussians)
        elif architecture == "painn":
            module = models.PaiNN(**size, radial_features=settings.n_radial)
        elif architecture == "tensornet":
            module = models.TensorNet(**size, radial_features=settings.n_radial)
        else:
            module = _nequip(models, size, settings, arguments)
    return module.train()  # graph-pes keeps the graph of the forces in this mode alone


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


def load(content: archive.Archive, dtype: torch.dtype | None, device: str) -> HeadedPotential:
    """Rebuild a model from farfield's model file."""
    config = dict(content.config)
    names, species = config.pop("heads"), config.pop("species")
    stored = getattr(torch, config.pop("dtype"))
    unknown = dict.fromkeys(species, 0.0)
    table = HeadTable(dict.fromkeys(names, unknown), dict.fromkeys(names, 1.0))
    with torch.random.fork_rng(devices=[]):
        core = build(content.architecture, config, dtype or stored)
    network = GraphPesNetwork(content.architecture, core, config, table)
    potential = HeadedPotential(network, content.metadata)
    potential.restore(content.state)
    network.to(device)
    return potential
