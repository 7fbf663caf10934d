"""CHGNet models, pretrained or fine-tuned, as potentials."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from pathlib import Path
from typing import Any, final

import torch

from farfield.errors import CapabilityError
from farfield.files import atomic
from farfield.graphs import Graph
from farfield.potentials import archive
from farfield.potentials.chgnet.collate import Batch, collate
from farfield.potentials.chgnet.library import known_elements
from farfield.potentials.chgnet.network import HeadedNetwork
from farfield.potentials.chgnet.radius import MODES, at_radius
from farfield.potentials.contract import (
    Capability,
    CutoffMode,
)
from farfield.potentials.torch_potential import Output, TorchPotential

ARCHITECTURE = "chgnet"


@final
class ChgnetPotential(TorchPotential):
    """A CHGNet behind farfield's contract.

    Any periodicity is taken: a molecule is computed as one alone in a large cell, without
    a cell. CHGNet's magnetic moments are kept in its files, and are no part of this.

    Parameters
    ----------
    network
        Made by :class:`farfield.potentials.chgnet.network.HeadedNetwork`.
    metadata
        How it was trained: plain values, kept in its file.
    ends
        Radius (Å) and mode of a view, as :meth:`with_cutoff` makes it; None for the model itself.
    """

    capabilities = frozenset(Capability)
    conservative = True
    atoms_per_batch = 100

    def __init__(
        self,
        network: HeadedNetwork,
        metadata: dict[str, Any] | None = None,
        ends: tuple[float, CutoffMode] | None = None,
    ) -> None:
        trained = float(network.arguments["atom_graph_cutoff"])
        super().__init__(network, trained if ends is None else ends[0], metadata)
        self.network = network
        self.cutoff_modes: frozenset[CutoffMode] = MODES if ends is None else frozenset()
        self._ends = ends
        self._angle_cutoff = float(network.arguments["bond_graph_cutoff"])
        self._species = known_elements(network.arguments.get("version"))

    # --- what it is -------------------------------------------------------------------

    @property
    def name(self) -> str:
        version = self.network.arguments.get("version")
        count = sum(parameter.numel() for parameter in self.network.parameters())
        return f"CHGNet{f' {version}' if version else ''} ({count / 1000:.0f}k parameters)"

    @property
    def species(self) -> frozenset[int]:
        return self._species

    @property
    def heads(self) -> tuple[str, ...]:
        return self.network.heads

    def head_species(self, head: str) -> frozenset[int]:
        known = torch.isfinite(self.network.energies[self.heads.index(head)]).tolist()
        return frozenset(number for number in self._species if known[number - 1])

    def with_cutoff(self, cutoff: float, mode: CutoffMode) -> ChgnetPotential:
        self._require_mode(mode)
        network = at_radius(self.network, cutoff, mode)
        if mode == "rescale":  # a CHGNet of another radius, in all that it says of itself
            return ChgnetPotential(network, self.metadata)
        return ChgnetPotential(network, self.metadata, (cutoff, mode))

    # --- its parameters ---------------------------------------------------------------

    def representation_parameters(self) -> dict[str, torch.nn.Parameter]:
        return self.network.shared_parameters()

    def early_parameters(self) -> dict[str, torch.nn.Parameter]:
        if len(self.network.core.atom_conv_layers) == 1:
            return super().early_parameters()
        return self.network.early_parameters()

    def clone(self) -> ChgnetPotential:
        return ChgnetPotential(copy.deepcopy(self.network), dict(self.metadata), self._ends)

    def with_head(
        self, name: str, energies: dict[int, float], scale: float = 1.0
    ) -> ChgnetPotential:
        self._require_new(name)
        grown = self.clone()
        grown.network.add_head(name, energies, scale)
        return grown

    # --- its files --------------------------------------------------------------------

    def save(self, path: Path, rule: dict[str, Any] | None = None) -> None:
        config = {**self.network.config(), "dtype": str(self.dtype).removeprefix("torch.")}
        if self._ends is not None:
            config["ends"] = list(self._ends)
        content = archive.Archive(ARCHITECTURE, config, self.state(), self.metadata, rule or {})
        archive.save(path, content)

    def export(self, path: Path, head: str | None = None) -> None:
        name = self.main_head(head)
        if self._ends is not None:
            raise CapabilityError(
                f"the mode {self._ends[1]!r} has no place in chgnet's own file: use this model "
                "through farfield, or export the model it was made from"
            )
        self._require_all_elements(name, "chgnet")
        module: Any = self.network.whole(name)
        with atomic(path) as partial:
            torch.save({"model": module.as_dict()}, partial)

    # --- inside -----------------------------------------------------------------------

    def _collate(self, graphs: Sequence[Graph], heads: Sequence[int]) -> Batch:
        return collate(graphs, heads, self._angle_cutoff, self.dtype, self.device)

    def _run(self, batch: Batch, *, training: bool, stress: bool) -> Output:
        output: Output = self.network(batch, training=training, stress=stress)
        return output


def from_native(module: Any, dtype: torch.dtype | None, device: str) -> ChgnetPotential:
    """Put one of chgnet's own models, which is taken apart, behind the contract."""
    return ChgnetPotential(HeadedNetwork(module).convert(dtype, device))


def load(content: archive.Archive, dtype: torch.dtype | None, device: str) -> ChgnetPotential:
    """Rebuild a CHGNet from farfield's model file."""
    network = HeadedNetwork.from_config(content.config)
    network.convert(getattr(torch, content.config["dtype"]), "cpu")
    network.load_state_dict(content.state)
    network.convert(dtype, device)
    if "ends" not in content.config:
        return ChgnetPotential(network, content.metadata)
    radius, mode = content.config["ends"]
    return ChgnetPotential(at_radius(network, radius, mode), content.metadata, (radius, mode))
