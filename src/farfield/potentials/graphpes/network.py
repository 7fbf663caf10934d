"""A graph-pes model with a readout per head.

The model keeps its own forward pass. Its readout and its scaling of local energies are taken
out and let through what they are given, so that it returns the node features.
"""

from __future__ import annotations

import copy
import math
from pathlib import Path
from typing import Any, final

import torch
from ase.data import chemical_symbols

from farfield.potentials.batches import Batch
from farfield.potentials.graphpes.library import (
    contained,
    graph_class,
    graphpes_models,
    scaler_class,
)
from farfield.potentials.network import HeadTable, Local, Network
from farfield.potentials.precision import default_dtype

TITLES = {"schnet": "SchNet", "painn": "PaiNN", "nequip": "NequIP", "tensornet": "TensorNet"}
READOUTS = {
    "schnet": "read_out",
    "painn": "read_out",
    "nequip": "energy_readout",
    "tensornet": "energy_read_out",
}
LAYERED = ("interactions", "updates", "layers")  # lists of one module per layer
FIRST = 1.0  # depth of the first layer; the embeddings have 0
FIXED = "aggregation.scale"  # what NequIP divides its messages by is not trained


@final
class GraphPesNetwork(Network):
    """A model of graph-pes, taken apart in place.

    Parameters
    ----------
    architecture
        ``"schnet"``, ``"painn"``, ``"nequip"`` or ``"tensornet"``.
    core
        The graph-pes model.
    arguments
        Plain values from which it was made, and can be made again.
    table
        Its heads. All of them begin with the model's readout.
    """

    conservative = True
    exports = True

    def __init__(
        self, architecture: str, core: Any, arguments: dict[str, Any], table: HeadTable
    ) -> None:
        super().__init__()
        self.architecture = architecture
        self.title = TITLES[architecture]
        self.cutoff = float(arguments["settings"]["cutoff"])
        self.reaches = architecture == "schnet"
        self.table = table
        self._arguments = arguments
        self._readout = READOUTS[architecture]
        readout = getattr(core, self._readout)
        self.readouts = torch.nn.ModuleList([copy.deepcopy(readout) for _ in table.names])
        setattr(core, self._readout, torch.nn.Identity())
        core.scaler = _Unscaled()
        self.core = core
        self._graph = graph_class()

    def forward(self, batch: Batch) -> Local:
        graph = self._graph(
            Z=batch.numbers,
            R=batch.positions,
            cell=batch.cells,
            neighbour_list=batch.edges,
            neighbour_cell_offsets=batch.shifts,
            properties={},
            cutoff=batch.cutoff,
            other={},
            batch=batch.owners,
            ptr=_starts(batch),
        )
        n_atoms = len(batch.numbers)
        width = (-1, 3, 3) if self.architecture == "tensornet" else (-1,)
        nodes = self.core(graph)["local_energies"].reshape(n_atoms, *width)
        energies = nodes.new_zeros(n_atoms)
        head = batch.head_of_atom
        for index in batch.heads.unique().tolist():
            rows = torch.nonzero(head == index).squeeze(1)
            values = self.readouts[index](nodes[rows]).reshape(-1)
            energies = energies.index_add(0, rows, values)
        return Local(energies, _invariants(nodes))

    def shared_parameters(self) -> dict[str, torch.nn.Parameter]:
        found = [
            (name, value)
            for name, value in self.core.named_parameters()
            if value.numel() and not name.endswith(FIXED)
        ]
        found.sort(key=lambda item: _depth(item[0]))
        return {f"core.{name}": value for name, value in found}

    def early_parameters(self) -> dict[str, torch.nn.Parameter]:
        shared = self.shared_parameters()
        return {
            name: value
            for name, value in shared.items()
            if _depth(name.removeprefix("core.")) <= FIRST
        }

    def config(self) -> dict[str, Any]:
        return self._arguments

    def n_parameters(self) -> int:
        known = len(self.table.species(self.table.names[0]))
        return sum(
            value[:known].numel()
            if getattr(value, "_is_per_element_param", False)
            else value.numel()
            for value in self.parameters()
        )

    def export(self, path: Path, head: str) -> None:
        models = graphpes_models()
        index = self.table.names.index(head)
        energies = {
            chemical_symbols[number]: float(self.table.energies[index, number])
            for number in sorted(self.table.species(head))
        }
        first = next(self.readouts.parameters())
        with contained(), default_dtype(first.dtype):
            core = copy.deepcopy(self.core)
            setattr(core, self._readout, copy.deepcopy(self.readouts[index]))
            core.scaler = scaler_class()()
            core.scaler.per_element_scaling.data.fill_(float(self.table.scales[index]))
            whole = models.AdditionModel(offset=models.FixedOffset(**energies), interaction=core)
            torch.save(whole.to(first.device).eval(), path)


class _Unscaled(torch.nn.Module):
    """Stands where a graph-pes model scales its local energies, and does nothing."""

    def forward(self, values: torch.Tensor, graph: Any) -> torch.Tensor:
        return values


def _starts(batch: Batch) -> torch.Tensor:
    """First atom of each structure, and the number of all atoms, shape (B + 1,)."""
    counts = torch.bincount(batch.owners, minlength=len(batch.heads))
    return torch.cat([counts.new_zeros(1), counts.cumsum(0)])


def _invariants(nodes: torch.Tensor) -> torch.Tensor:
    """Node features that do not change under rotation, shape (N, F).

    TensorNet's are matrices: of each, the squared sizes of its three parts are taken, as its
    own readout does.
    """
    if nodes.ndim == 2:
        return nodes
    symmetric = 0.5 * (nodes + nodes.mT)
    trace = nodes.diagonal(dim1=-2, dim2=-1).mean(-1)  # (N, C)
    identity = torch.eye(3, dtype=nodes.dtype, device=nodes.device)
    isotropic = trace[..., None, None] * identity
    parts = (isotropic, 0.5 * (nodes - nodes.mT), symmetric - isotropic)
    return torch.cat([part.pow(2).sum((-2, -1)) for part in parts], dim=1)


def _depth(name: str) -> float:
    """Number of the layer that a parameter belongs to."""
    part, number = name.split(".")[:2]
    if part in LAYERED and number.isdigit():
        return FIRST + int(number)
    return 0.0 if "embedding" in part else math.inf
