"""CHGNet models, pretrained or fine-tuned, as potentials."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from pathlib import Path
from typing import Any, final

import numpy as np
import torch
from ase import Atoms
from ase.calculators.calculator import Calculator
from ase.stress import full_3x3_to_voigt_6_stress

from farfield.errors import CapabilityError
from farfield.files import atomic
from farfield.graphs import Graph, neighbour_graph
from farfield.potentials import archive
from farfield.potentials.calculator import PotentialCalculator
from farfield.potentials.chgnet.collate import Batch, collate
from farfield.potentials.chgnet.library import known_elements
from farfield.potentials.chgnet.network import HeadedNetwork
from farfield.potentials.chgnet.radius import MODES, at_radius
from farfield.potentials.contract import (
    BatchPrediction,
    Capability,
    CutoffMode,
    Prediction,
    State,
    TrainablePotential,
)

ARCHITECTURE = "chgnet"
ATOMS_PER_BATCH = 100  # predictions are made in batches of about this many atoms


@final
class ChgnetPotential(TrainablePotential):
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

    def __init__(
        self,
        network: HeadedNetwork,
        metadata: dict[str, Any] | None = None,
        ends: tuple[float, CutoffMode] | None = None,
    ) -> None:
        self.network = network
        self.metadata = metadata or {}
        self.cutoff_modes: frozenset[CutoffMode] = MODES if ends is None else frozenset()
        self._ends = ends
        self._angle_cutoff = float(network.arguments["bond_graph_cutoff"])
        self._cutoff = float(network.arguments["atom_graph_cutoff"]) if ends is None else ends[0]
        self._species = known_elements(network.arguments.get("version"))

    # --- what it is -------------------------------------------------------------------

    @property
    def name(self) -> str:
        version = self.network.arguments.get("version")
        count = sum(parameter.numel() for parameter in self.network.parameters())
        return f"CHGNet{f' {version}' if version else ''} ({count / 1000:.0f}k parameters)"

    @property
    def cutoff(self) -> float:
        return self._cutoff

    @property
    def species(self) -> frozenset[int]:
        return self._species

    @property
    def heads(self) -> tuple[str, ...]:
        return self.network.heads

    def head_species(self, head: str) -> frozenset[int]:
        known = torch.isfinite(self.network.energies[self.heads.index(head)]).tolist()
        return frozenset(number for number in self._species if known[number - 1])

    @property
    def dtype(self) -> torch.dtype:
        return self._first.dtype

    @property
    def device(self) -> torch.device:
        return self._first.device

    # --- what it predicts -------------------------------------------------------------

    def graph(self, atoms: Atoms) -> Graph:
        return neighbour_graph(atoms, self._cutoff)

    def batch(self, structures: Sequence[Atoms], heads: str | Sequence[str]) -> Batch:
        names = [heads] * len(structures) if isinstance(heads, str) else heads
        for name in set(names):
            chosen = [atoms for atoms, head in zip(structures, names, strict=True) if head == name]
            self.require_species(chosen, name)
        indices = [self.heads.index(self.main_head(name)) for name in names]
        graphs = [self.graph(atoms) for atoms in structures]
        return collate(graphs, indices, self._angle_cutoff, self.dtype, self.device)

    def forward(self, batch: Batch, *, training: bool) -> BatchPrediction:
        output = self.network(batch, training=training, stress=False)
        return BatchPrediction(output.energy, output.forces, output.features)

    def predict(self, structures: Sequence[Atoms], head: str | None = None) -> list[Prediction]:
        name = self.main_head(head)
        predictions: list[Prediction] = []
        for chunk in _chunks(structures):
            periodic = [bool(atoms.pbc.all()) for atoms in chunk]
            output = self.network(self.batch(chunk, name), training=False, stress=any(periodic))
            ends = np.cumsum([len(atoms) for atoms in chunk])[:-1]
            forces = np.split(_double(output.forces), ends)
            features = np.split(_double(output.features), ends)
            for index, energy in enumerate(_double(output.energy)):
                stress = None
                if periodic[index]:
                    stress = full_3x3_to_voigt_6_stress(_double(output.stress[index]))
                predictions.append(
                    Prediction(float(energy), forces[index], features[index], stress)
                )
        return predictions

    def calculator(self, head: str | None = None) -> Calculator:
        return PotentialCalculator(self, head)

    def with_cutoff(self, cutoff: float, mode: CutoffMode) -> ChgnetPotential:
        if mode not in self.cutoff_modes:
            raise CapabilityError(
                f"{self.name} offers the cutoff modes {sorted(self.cutoff_modes)}, not {mode!r}"
            )
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

    def head_parameters(self) -> dict[str, torch.nn.Parameter]:
        return {f"readouts.{k}": v for k, v in self.network.readouts.named_parameters()}

    def state(self) -> State:
        return {key: value.detach().clone() for key, value in self.network.state_dict().items()}

    def restore(self, state: State) -> None:
        self.network.load_state_dict(state)

    def clone(self) -> ChgnetPotential:
        return ChgnetPotential(copy.deepcopy(self.network), dict(self.metadata), self._ends)

    def with_head(
        self, name: str, energies: dict[int, float], scale: float = 1.0
    ) -> ChgnetPotential:
        if name in self.heads:
            raise CapabilityError(f"{self.name} has a head {name!r} already: choose another name")
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
        if self.head_species(name) != self.species:
            raise CapabilityError(
                f"the head {name!r} does not know all elements of {self.name}, which chgnet "
                f"cannot tell its users: export the head {self.heads[0]!r}"
            )
        module: Any = self.network.whole(name)
        with atomic(path) as partial:
            torch.save({"model": module.as_dict()}, partial)

    # --- inside -----------------------------------------------------------------------

    @property
    def _first(self) -> torch.nn.Parameter:
        return next(iter(self.head_parameters().values()))


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


def _chunks(structures: Sequence[Atoms]) -> list[list[Atoms]]:
    chunks: list[list[Atoms]] = []
    size = ATOMS_PER_BATCH
    for atoms in structures:
        if size + len(atoms) > ATOMS_PER_BATCH:
            chunks.append([])
            size = 0
        chunks[-1].append(atoms)
        size += len(atoms)
    return chunks


def _double(tensor: torch.Tensor) -> np.ndarray:
    return tensor.detach().double().cpu().numpy()
