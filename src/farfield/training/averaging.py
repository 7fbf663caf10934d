"""Exponentially averaged weights: what a model is judged by, and ends with."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import final

import torch
from torch.optim.swa_utils import get_ema_multi_avg_fn


@final
class AveragedWeights:
    """The exponential moving average of some parameters.

    Parameters
    ----------
    parameters
        The parameters to follow.
    decay
        Weight of the old average at each update.
    """

    def __init__(self, parameters: Sequence[torch.nn.Parameter], decay: float) -> None:
        self._parameters = list(parameters)
        self._average = get_ema_multi_avg_fn(decay)
        self.values = [parameter.detach().clone() for parameter in parameters]

    def update(self) -> None:
        """Take in the parameters as they are now."""
        self._average(self.values, [parameter.data for parameter in self._parameters], 1)

    def apply(self) -> None:
        """Set the parameters to their average."""
        self._set(self.values)

    @contextmanager
    def applied(self) -> Iterator[None]:
        """Set the parameters to their average for a while."""
        before = [parameter.detach().clone() for parameter in self._parameters]
        self.apply()
        try:
            yield
        finally:
            self._set(before)

    def _set(self, values: Sequence[torch.Tensor]) -> None:
        with torch.no_grad():
            for parameter, value in zip(self._parameters, values, strict=True):
                parameter.copy_(value)
