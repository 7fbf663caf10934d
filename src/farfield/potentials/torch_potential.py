"""What the adapters of torch models share: batches of structures in, predictions out."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, final

import numpy as np
import torch
from ase import Atoms
from ase.calculators.calculator import Calculator
from ase.stress import full_3x3_to_voigt_6_stress

from farfield.errors import CapabilityError
from farfield.graphs import Graph, neighbour_graph
from farfield.potentials.calculator import PotentialCalculator
from farfield.potentials.contract import CutoffMode, Prediction
from farfield.potentials.trainable import BatchPrediction, State, TrainablePotential


@final
@dataclass(frozen=True)
class Output:
    """What a model says of B structures with N atoms, as tensors.

    Attributes
    ----------
    energy
        Total, shape (B,), eV, float64.
    forces
        Shape (N, 3), eV/Å.
    features
        Node features, invariant to rotation, shape (N, F).
    stress
        Shape (B, 3, 3), eV/Å³, of meaning only where periodic in all directions; None when it
        was not asked for.
    """

    energy: torch.Tensor
    forces: torch.Tensor
    features: torch.Tensor
    stress: torch.Tensor | None


class TorchPotential(TrainablePotential):
    """A torch module with readouts behind farfield's contract.

    Parameters
    ----------
    module
        It holds the readouts of all heads as ``readouts``.
    cutoff
        Of its graphs, Å.
    metadata
        How it was trained: plain values, kept in its file.

    Attributes
    ----------
    atoms_per_batch
        Predictions are made in batches of about this many atoms.
    """

    atoms_per_batch: int

    def __init__(self, module: Any, cutoff: float, metadata: dict[str, Any] | None) -> None:
        self.module: Any = module
        self._cutoff = cutoff
        self.metadata = metadata or {}

    @abstractmethod
    def _collate(self, graphs: Sequence[Graph], heads: Sequence[int]) -> Any:
        """Join graphs into one batch; ``heads`` holds the place of each graph's head."""

    @abstractmethod
    def _run(self, batch: Any, *, training: bool, stress: bool) -> Output:
        """Compute a batch; with ``training``, gradients reach the parameters."""

    @property
    def cutoff(self) -> float:
        return self._cutoff

    @property
    def dtype(self) -> torch.dtype:
        return self._first.dtype

    @property
    def device(self) -> torch.device:
        return self._first.device

    def graph(self, atoms: Atoms) -> Graph:
        return neighbour_graph(atoms, self._cutoff)

    def batch(self, structures: Sequence[Atoms], heads: str | Sequence[str]) -> Any:
        names = [heads] * len(structures) if isinstance(heads, str) else heads
        for name in set(names):
            chosen = [atoms for atoms, head in zip(structures, names, strict=True) if head == name]
            self.require_species(chosen, name)
        places = [self.heads.index(self.main_head(name)) for name in names]
        return self._collate([self.graph(atoms) for atoms in structures], places)

    def forward(self, batch: Any, *, training: bool) -> BatchPrediction:
        output = self._run(batch, training=training, stress=False)
        return BatchPrediction(output.energy, output.forces, output.features)

    def predict(self, structures: Sequence[Atoms], head: str | None = None) -> list[Prediction]:
        name = self.main_head(head)
        predictions: list[Prediction] = []
        for chunk in self._chunks(structures):
            periodic = [self.conservative and bool(atoms.pbc.all()) for atoms in chunk]
            output = self._run(self.batch(chunk, name), training=False, stress=any(periodic))
            ends = np.cumsum([len(atoms) for atoms in chunk])[:-1]
            forces = np.split(_double(output.forces), ends)
            features = np.split(_double(output.features), ends)
            for index, energy in enumerate(_double(output.energy)):
                stress = None
                if periodic[index] and output.stress is not None:
                    stress = full_3x3_to_voigt_6_stress(_double(output.stress[index]))
                predictions.append(
                    Prediction(float(energy), forces[index], features[index], stress)
                )
        return predictions

    def calculator(self, head: str | None = None) -> Calculator:
        return PotentialCalculator(self, head)

    def head_parameters(self) -> dict[str, torch.nn.Parameter]:
        return {f"readouts.{k}": v for k, v in self.module.readouts.named_parameters()}

    def state(self) -> State:
        return {key: value.detach().clone() for key, value in self.module.state_dict().items()}

    def restore(self, state: State) -> None:
        self.module.load_state_dict(state)

    @property
    def _first(self) -> torch.nn.Parameter:
        return next(iter(self.head_parameters().values()))

    def _chunks(self, structures: Sequence[Atoms]) -> list[list[Atoms]]:
        chunks: list[list[Atoms]] = []
        size = self.atoms_per_batch
        for atoms in structures:
            if size + len(atoms) > self.atoms_per_batch:
                chunks.append([])
                size = 0
            chunks[-1].append(atoms)
            size += len(atoms)
        return chunks

    def _require_mode(self, mode: CutoffMode) -> None:
        """Raise unless the model offers a cutoff mode."""
        if mode not in self.cutoff_modes:
            raise CapabilityError(
                f"{self.name} offers the cutoff modes {sorted(self.cutoff_modes)}, not {mode!r}"
            )

    def _require_new(self, head: str) -> None:
        """Raise if there is a head of this name."""
        if head in self.heads:
            raise CapabilityError(f"{self.name} has a head {head!r} already: choose another name")

    def _require_all_elements(self, head: str, where: str) -> None:
        """Raise unless a head knows all elements of the model, before it is written alone."""
        if self.head_species(head) != self.species:
            raise CapabilityError(
                f"the head {head!r} does not know all elements of {self.name}, which {where} "
                f"cannot tell its users: export the head {self.heads[0]!r}"
            )


def _double(tensor: torch.Tensor) -> np.ndarray:
    return tensor.detach().double().cpu().numpy()
