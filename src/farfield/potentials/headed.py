"""A network with heads as a trainable potential: energies, forces, stress, heads and files."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, final

import numpy as np
import torch

from farfield.errors import CapabilityError, ModelError
from farfield.files import atomic
from farfield.graphs import Graph
from farfield.potentials import archive
from farfield.potentials.batches import Batch, collate
from farfield.potentials.contract import Capability, CutoffMode
from farfield.potentials.network import Network
from farfield.potentials.precision import default_dtype
from farfield.potentials.torch_potential import Output, TorchPotential
from farfield.potentials.trainable import State

WEIGHTED = 0.9  # share of the cutoff beyond which an envelope leaves an edge hardly any weight


@final
class HeadedPotential(TorchPotential):
    """A :class:`farfield.potentials.network.Network` behind farfield's contract.

    Parameters
    ----------
    network
        The architecture with its weights.
    metadata
        How it was trained: plain values, kept in its file.
    graph_cutoff
        Cut the neighbour list at this distance, Å; None keeps the trained cutoff.
    """

    cutoff_modes: frozenset[CutoffMode] = frozenset({"truncate"})
    atoms_per_batch = 300

    def __init__(
        self,
        network: Network,
        metadata: dict[str, Any] | None = None,
        graph_cutoff: float | None = None,
    ) -> None:
        cutoff = network.cutoff if graph_cutoff is None else graph_cutoff
        super().__init__(network, cutoff, metadata)
        self.network = network
        self.conservative = network.conservative
        missing = set() if network.exports else {Capability.EXPORT}
        self.capabilities = frozenset(Capability) - missing

    # --- what it is -------------------------------------------------------------------

    @property
    def name(self) -> str:
        return f"{self.network.title} ({self.network.n_parameters() / 1000:.0f}k parameters)"

    @property
    def species(self) -> frozenset[int]:
        return self.head_species(self.heads[0])

    @property
    def heads(self) -> tuple[str, ...]:
        return self.network.table.names

    def head_species(self, head: str) -> frozenset[int]:
        return self.network.table.species(head)

    def with_cutoff(self, cutoff: float, mode: CutoffMode) -> HeadedPotential:
        self._require_mode(mode)
        trained = self.network.cutoff
        if cutoff == trained:
            raise CapabilityError(f"{cutoff} Å is the trained cutoff: it would change nothing")
        largest = np.inf if self.network.reaches else WEIGHTED * trained
        if not 0.0 < cutoff <= largest:
            raise CapabilityError(
                f"a {self.network.title} trained with {trained} Å gives edges beyond "
                f"{largest:.4g} Å hardly any weight, so {cutoff} Å would change nothing: choose a "
                "smaller cutoff"
            )
        return HeadedPotential(self.network, self.metadata, graph_cutoff=cutoff)

    # --- its parameters ---------------------------------------------------------------

    def representation_parameters(self) -> dict[str, torch.nn.Parameter]:
        return self.network.shared_parameters()

    def early_parameters(self) -> dict[str, torch.nn.Parameter]:
        found = self.network.early_parameters()
        told = 0 < len(found) < len(self.representation_parameters())
        return found if told else super().early_parameters()

    def state(self) -> State:
        return {
            key: value.detach().clone()
            for key, value in self.network.state_dict().items()
            if isinstance(value, torch.Tensor)  # a layer may keep its version there too
        }

    def restore(self, state: State) -> None:
        current = self.network.state_dict()
        if state.keys() != self.state().keys():
            raise ModelError(f"the state is not that of this {self.name}")
        self.network.load_state_dict(current | state)

    def clone(self) -> HeadedPotential:
        graph_cutoff = None if self._cutoff == self.network.cutoff else self._cutoff
        return HeadedPotential(copy.deepcopy(self.network), dict(self.metadata), graph_cutoff)

    def with_head(
        self, name: str, energies: dict[int, float], scale: float = 1.0
    ) -> HeadedPotential:
        self._require_new(name)
        grown = self.clone()
        grown.network.add_head(name, energies, scale)
        return grown

    # --- its files --------------------------------------------------------------------

    def save(self, path: Path, rule: dict[str, Any] | None = None) -> None:
        config = {
            **self.network.config(),
            "heads": list(self.heads),
            "species": sorted(self.species),
            "dtype": str(self.dtype).removeprefix("torch."),
        }
        content = archive.Archive(
            self.network.architecture, config, self.state(), self.metadata, rule or {}
        )
        archive.save(path, content)

    def export(self, path: Path, head: str | None = None) -> None:
        name = self.main_head(head)
        if Capability.EXPORT not in self.capabilities:
            raise CapabilityError(
                f"a {self.network.title} has no native file: keep farfield's model file, and use "
                "it through farfield's ASE calculator"
            )
        self._require_all_elements(name, "a native file")
        with atomic(path) as partial:
            self.network.export(partial, name)

    # --- inside -----------------------------------------------------------------------

    def _collate(self, graphs: Sequence[Graph], heads: Sequence[int]) -> Batch:
        return collate(graphs, heads, self.dtype, self.device)

    def _run(self, batch: Batch, *, training: bool, stress: bool) -> Output:
        table = self.network.table
        with torch.set_grad_enabled(training or self.conservative), default_dtype(self.dtype):
            positions = batch.positions.detach().requires_grad_(self.conservative)
            strain = torch.zeros_like(batch.cells).requires_grad_(stress)
            moved = batch
            if stress:
                atoms = torch.einsum("ni,nij->nj", positions, strain[batch.owners])
                cells = batch.cells + batch.cells @ strain
                moved = replace(batch, positions=positions + atoms, cells=cells)
            else:
                moved = replace(batch, positions=positions)
            local = self.network(moved)
            head = batch.head_of_atom
            scale = table.scales[head]  # (N,)
            per_atom = table.energies[head, batch.numbers] + scale * local.energies.double()
            energy = per_atom.new_zeros(len(batch.heads)).index_add(0, batch.owners, per_atom)
            if local.forces is not None:
                forces = scale.to(self.dtype)[:, None] * local.forces
                return Output(energy, forces, local.features, None)
            gradients = torch.autograd.grad(
                energy.sum(),
                [positions, strain] if stress else [positions],
                create_graph=training,
                allow_unused=True,  # atoms without neighbours
                materialize_grads=True,
            )
        stresses = gradients[1].double() / batch.volumes[:, None, None] if stress else None
        return Output(energy, -gradients[0], local.features, stresses)
