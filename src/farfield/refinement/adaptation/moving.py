"""Which parameters of the representation an adaptation moves, and how."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import final

import torch

from farfield.errors import CapabilityError
from farfield.potentials import TrainablePotential
from farfield.refinement.adaptation.settings import AdaptationSettings

Tensors = list[torch.Tensor]


class Moving(ABC):
    """Some weights of a model, and the parameters that an optimiser moves in their stead.

    Attributes
    ----------
    weights
        The weights, which are tensors of the model.
    parameters
        What the optimiser moves: the weights themselves, or what they are made from.
    """

    weights: list[torch.nn.Parameter]
    parameters: list[torch.nn.Parameter]

    @abstractmethod
    def gradients(self, of_weights: Tensors) -> Tensors:
        """Gradients of the parameters, from those of the weights."""

    @abstractmethod
    def apply(self) -> None:
        """Set the weights to what the parameters say."""


@final
class Whole(Moving):
    """The weights themselves move."""

    def __init__(self, weights: Sequence[torch.nn.Parameter]) -> None:
        self.weights = self.parameters = list(weights)

    def gradients(self, of_weights: Tensors) -> Tensors:
        return of_weights

    def apply(self) -> None:
        """Do nothing: they are the same tensors."""


@final
class LowRank(Moving):
    """Each matrix W of shape (m, n) moves as W₀ + B A, with B (m, r) and A (r, n).

    This is LoRA (Hu et al., arXiv 2106.09685). A tensor of more than two dimensions is a stack
    of matrices, its last two dimensions; vectors stay as they are. The rank of a matrix that
    is smaller than r is its own smaller side. A starts at random, B at zero, so that the
    weights start as they were. The weights are set after every step: nothing has to be merged.

    Parameters
    ----------
    weights
        Matrices and stacks of them.
    rank
        r.
    seed
        Of A.
    """

    def __init__(self, weights: Sequence[torch.nn.Parameter], rank: int, seed: int) -> None:
        self.weights = list(weights)
        self._start = [weight.detach().clone() for weight in weights]
        random = torch.Generator().manual_seed(seed)
        self._left: list[torch.nn.Parameter] = []
        self._right: list[torch.nn.Parameter] = []
        for weight in weights:
            *stack, rows, columns = weight.shape
            inner = min(rank, rows, columns)
            drawn = torch.randn(*stack, inner, columns, generator=random, dtype=torch.float64)
            self._right.append(torch.nn.Parameter((drawn / columns**0.5).to(weight)))
            self._left.append(torch.nn.Parameter(weight.new_zeros(*stack, rows, inner)))
        self.parameters = [*self._left, *self._right]

    def gradients(self, of_weights: Tensors) -> Tensors:
        left = [g @ a.detach().mT for g, a in zip(of_weights, self._right, strict=True)]
        right = [b.detach().mT @ g for g, b in zip(of_weights, self._left, strict=True)]
        return [*left, *right]

    def apply(self) -> None:
        with torch.no_grad():
            for weight, start, b, a in zip(
                self.weights, self._start, self._left, self._right, strict=True
            ):
                weight.copy_(start + b @ a)


def moving_of(potential: TrainablePotential, settings: AdaptationSettings) -> Moving:
    """Let the chosen part of the representation move, and nothing else.

    Raises
    ------
    CapabilityError
        A low-rank update of a model whose representation has no matrix.
    """
    shared = potential.representation_parameters()
    for parameter in [*shared.values(), *potential.head_parameters().values()]:
        parameter.requires_grad_(False)
    if settings.parameters == "early":
        shared = potential.early_parameters()
    elif settings.parameters == "lora":
        shared = {name: value for name, value in shared.items() if value.dim() > 1}
        if not shared:
            raise CapabilityError(
                f"the representation of {potential.name} is stored as vectors alone, to which "
                "an update of low rank does not apply: choose the parameters all or early"
            )
    weights = list(shared.values())
    for parameter in weights:
        parameter.requires_grad_(True)
    if settings.parameters == "lora":
        return LowRank(weights, settings.rank, settings.seed)
    return Whole(weights)
