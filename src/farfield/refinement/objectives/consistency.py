"""Two views of one structure: an objective that needs no prior."""

from __future__ import annotations

from collections.abc import Sequence
from typing import final

import numpy as np
import torch
from ase import Atoms

from farfield.errors import CapabilityError
from farfield.potentials import TrainablePotential
from farfield.potentials.contract import CutoffMode
from farfield.refinement.objectives.objective import Objective, places

SHARES = (0.8, 0.9)  # of the cutoff: where the shorter view ends
TEACHER_DECAY = 0.99
MODES: tuple[CutoffMode, ...] = ("taper", "truncate")  # the first that the model has


@final
class ConsistencyObjective(Objective):
    """Forces of the model at a shorter radius against its averaged self at its own, (eV/Å)².

    The averaged model is a mean teacher (Tarvainen & Valpola, arXiv 1703.01780): its weights
    follow those of the model as an exponential average. Rotations would teach an equivariant
    model nothing, and a rattled copy has other forces; with a shorter radius the structure is
    the same and the graph is another, as graphs far from training are.

    Parameters
    ----------
    start
        The model to start from, of whose main head the forces are.
    structures
        Test structures.
    batch_size
        Structures per step.
    weight
        Weight of the term.

    Raises
    ------
    CapabilityError
        The model's radius cannot be made smaller.
    """

    name = "consistency"

    def __init__(
        self,
        start: TrainablePotential,
        structures: Sequence[Atoms],
        batch_size: int,
        weight: float = 1.0,
    ) -> None:
        require_shorter_view(start)
        self.weight = weight
        self._structures = structures
        self._batch_size = batch_size
        self._teacher = start.clone()

    def loss(self, potential: TrainablePotential, random: np.random.Generator) -> torch.Tensor:
        chosen = places(self._structures, self._batch_size, random)
        structures = [self._structures[place] for place in chosen]
        head = potential.heads[0]
        seen = shorter_view(potential, float(random.uniform(*SHARES)))
        forces = seen.forward(seen.batch(structures, head), training=True).forces
        batch = self._teacher.batch(structures, head)
        told = self._teacher.forward(batch, training=False).forces.detach()
        return (forces - told).pow(2).mean()

    def advance(self, potential: TrainablePotential) -> None:
        now = potential.representation_parameters()
        with torch.no_grad():
            for name, value in self._teacher.representation_parameters().items():
                value.lerp_(now[name], 1.0 - TEACHER_DECAY)

    def state(self) -> list[torch.Tensor]:
        shared = self._teacher.representation_parameters().values()
        return [value.detach().clone() for value in shared]

    def restore(self, state: Sequence[torch.Tensor]) -> None:
        shared = self._teacher.representation_parameters().values()
        with torch.no_grad():
            for value, stored in zip(shared, state, strict=True):
                value.copy_(stored)


@final
class Disagreement:
    """Force MAE between the shortest view of a model and its own, eV/Å.

    It is given relative to the size of the forces, times that at the start: a model whose forces
    all shrink would agree with itself ever better.

    Parameters
    ----------
    start
        The model at the start.
    structures
        What it is judged on.
    """

    def __init__(self, start: TrainablePotential, structures: Sequence[Atoms]) -> None:
        self._structures = structures
        self._size = _size(self._forces(start))

    def __call__(self, potential: TrainablePotential) -> float:
        """The disagreement of ``potential`` as it is now."""
        own = self._forces(potential)
        apart = self._forces(shorter_view(potential, SHARES[0])) - own
        size = _size(own)
        return _size(apart) * self._size / size if size > 0.0 else float("inf")

    def _forces(self, potential: TrainablePotential) -> np.ndarray:
        predictions = potential.predict(self._structures)
        return np.concatenate([prediction.forces for prediction in predictions])


def shorter_view(potential: TrainablePotential, share: float) -> TrainablePotential:
    """The same weights with a radius of ``share`` of the cutoff."""
    cutoff = potential.cutoff
    assert cutoff is not None  # known of trainable models
    mode = next(mode for mode in MODES if mode in potential.cutoff_modes)
    seen = potential.with_cutoff(share * cutoff, mode)
    assert isinstance(seen, TrainablePotential)
    return seen


def require_shorter_view(potential: TrainablePotential) -> None:
    """Raise unless the radius of ``potential`` can be made smaller."""
    if not any(mode in potential.cutoff_modes for mode in MODES):
        raise CapabilityError(
            f"the objective consistency needs a model whose radius can be made smaller, and "
            f"{potential.name} cannot: use prior or denoise"
        )


def _size(forces: np.ndarray) -> float:
    return float(np.mean(np.abs(forces)))
