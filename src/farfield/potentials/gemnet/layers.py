"""The small layers that GemNet is made of. None has a bias: what is zero stays zero."""

from __future__ import annotations

import math
from typing import final

import torch

INV_SQRT_2 = 1.0 / math.sqrt(2.0)


def orthogonal(weight: torch.Tensor) -> torch.Tensor:
    """Fill in place with orthogonal rows of mean 0 and variance 1 / inputs.

    Of a tensor with three axes the last one is the output, else the first.
    """
    with torch.no_grad():
        torch.nn.init.orthogonal_(weight)
        axes = (0, 1) if weight.ndim == 3 else (1,)
        inputs = math.prod(weight.shape[axis] for axis in axes)
        if inputs > 1:
            spread, mean = torch.var_mean(weight, dim=axes, keepdim=True)
            weight.sub_(mean).div_((spread + 1e-6).sqrt())
        return weight.mul_(inputs**-0.5)


@final
class Dense(torch.nn.Module):
    """A linear layer, with or without the activation SiLU / 0.6, which keeps the variance."""

    def __init__(self, inputs: int, outputs: int, *, activated: bool) -> None:
        super().__init__()
        self.linear = torch.nn.Linear(inputs, outputs, bias=False)
        self.activated = activated
        orthogonal(self.linear.weight)

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        """Shape (..., inputs) to (..., outputs)."""
        values: torch.Tensor = self.linear(inputs)
        if self.activated:
            values = torch.nn.functional.silu(values) / 0.6
        return values


@final
class Residual(torch.nn.Module):
    """Two dense layers beside a skip, divided by the square root of 2."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.layers = torch.nn.Sequential(*[Dense(width, width, activated=True) for _ in range(2)])

    def forward(self, values: torch.Tensor) -> torch.Tensor:
        """Shape (..., width)."""
        beside: torch.Tensor = self.layers(values)
        return (values + beside) * INV_SQRT_2


def residuals(width: int, count: int) -> torch.nn.Sequential:
    """So many residual layers in a row."""
    return torch.nn.Sequential(*[Residual(width) for _ in range(count)])


@final
class Scaling(torch.nn.Module):
    """A constant that brings a sum or product back to the variance of what went in.

    The paper's "scaling factors": measured once on training structures, before training.
    While :attr:`measuring`, a call sets the constant from the values at hand.
    """

    factor: torch.Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("factor", torch.ones(()))
        self.measuring = False

    def forward(self, values: torch.Tensor, like: torch.Tensor) -> torch.Tensor:
        """Scale ``values``, so that they vary as ``like`` does."""
        if self.measuring:
            with torch.no_grad():
                spread, wanted = (tensor.var(dim=0).mean() for tensor in (values, like))
                if spread > 0.0 and wanted > 0.0:
                    self.factor.copy_((wanted / spread).sqrt())
        return values * self.factor
