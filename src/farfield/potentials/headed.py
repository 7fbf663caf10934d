"""A network with heads as a trainable potential: energies, forces, stress, heads and files."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, final

import numpy as np
import torch
from ase import Atoms
from ase.calculators.calculator import Calculator
from ase.stress import full_3x3_to_voigt_6_stress

from farfield.errors import CapabilityError, ModelError
from farfield.files import atomic
from farfield.graphs import Graph, neighbour_graph
from farfield.potentials import archive
from farfield.potentials.batches import Batch, collate
from farfield.potentials.calculator import PotentialCalculator
from farfield.potentials.contract import (
    BatchPrediction,
    Capability,
    CutoffMode,
    Prediction,
    State,
    TrainablePotential,
)
from farfield.potentials.network import Network
from farfield.potentials.precision import default_dtype

ATOMS_PER_BATCH = 300  # predictions are made in batches of about this many atoms
WEIGHTED = 0.9  # share of the cutoff beyond which an envelope leaves an edge hardly any weight


@dataclass(frozen=True)
class _Output:
    energy: torch.Tensor  # (B,), eV, float64
    forces: torch.Tensor  # (N, 3), eV/Å
    features: torch.Tensor  # (N, F)
    virial: torch.Tensor | None  # (B, 3, 3), eV


@final
class HeadedPotential(TrainablePotential):
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

    def __init__(
        self,
        network: Network,
        metadata: dict[str, Any] | None = None,
        graph_cutoff: float | None = None,
    ) -> None:
        self.network = network
        self.metadata = metadata or {}
        self.conservative = network.conservative
        missing = set() if network.exports else {Capability.EXPORT}
        self.capabilities = frozenset(Capability) - missing
        self._cutoff = network.cutoff if graph_cutoff is None else graph_cutoff

    # --- what it is -------------------------------------------------------------------

    @property
    def name(self) -> str:
        return f"{self.network.title} ({self.network.n_parameters() / 1000:.0f}k parameters)"

    @property
    def cutoff(self) -> float:
        return self._cutoff

    @property
    def species(self) -> frozenset[int]:
        return self.head_species(self.heads[0])

    @property
    def heads(self) -> tuple[str, ...]:
        return self.network.table.names

    def head_species(self, head: str) -> frozenset[int]:
        return self.network.table.species(head)

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
        return collate(graphs, indices, self.dtype, self.device)

    def forward(self, batch: Batch, *, training: bool) -> BatchPrediction:
        output = self._run(batch, training=training, stress=False)
        return BatchPrediction(output.energy, output.forces, output.features)

    def predict(self, structures: Sequence[Atoms], head: str | None = None) -> list[Prediction]:
        name = self.main_head(head)
        predictions: list[Prediction] = []
        for chunk in _chunks(structures):
            periodic = [self.conservative and bool(atoms.pbc.all()) for atoms in chunk]
            output = self._run(self.batch(chunk, name), training=False, stress=any(periodic))
            ends = np.cumsum([len(atoms) for atoms in chunk])[:-1]
            forces = np.split(_double(output.forces), ends)
            features = np.split(_double(output.features), ends)
            for index, (atoms, energy) in enumerate(
                zip(chunk, _double(output.energy), strict=True)
            ):
                stress = None
                if periodic[index] and output.virial is not None:
                    virial = _double(output.virial[index]) / atoms.get_volume()
                    stress = full_3x3_to_voigt_6_stress(virial)
                predictions.append(
                    Prediction(float(energy), forces[index], features[index], stress)
                )
        return predictions

    def calculator(self, head: str | None = None) -> Calculator:
        return PotentialCalculator(self, head)

    def with_cutoff(self, cutoff: float, mode: CutoffMode) -> HeadedPotential:
        if mode not in self.cutoff_modes:
            raise CapabilityError(
                f"{self.name} offers the cutoff modes {sorted(self.cutoff_modes)}, not {mode!r}"
            )
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

    def head_parameters(self) -> dict[str, torch.nn.Parameter]:
        return {f"readouts.{k}": v for k, v in self.network.readouts.named_parameters()}

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
        if name in self.heads:
            raise CapabilityError(f"{self.name} has a head {name!r} already: choose another name")
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
        if self.head_species(name) != self.species:
            raise CapabilityError(
                f"the head {name!r} does not know all elements of {self.name}, which a native "
                f"file cannot tell its users: export the head {self.heads[0]!r}"
            )
        with atomic(path) as partial:
            self.network.export(partial, name)

    # --- inside -----------------------------------------------------------------------

    @property
    def _first(self) -> torch.nn.Parameter:
        return next(iter(self.head_parameters().values()))

    def _run(self, batch: Batch, *, training: bool, stress: bool) -> _Output:
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
                return _Output(energy, forces, local.features, None)
            gradients = torch.autograd.grad(
                energy.sum(),
                [positions, strain] if stress else [positions],
                create_graph=training,
                allow_unused=True,  # atoms without neighbours
                materialize_grads=True,
            )
        return _Output(energy, -gradients[0], local.features, gradients[1] if stress else None)


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
