"""The contract of a detector: one axis along which a structure may lie far from training."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from farfield.shifts.observation import Observation

Floats = npt.NDArray[np.float64]
State = dict[str, npt.NDArray[np.generic]]


@dataclass(frozen=True)
class Score:
    """How far one structure of N atoms lies from training along one axis.

    Attributes
    ----------
    structure
        One number in the detector's unit; larger is farther.
    atoms
        The same per atom, shape (N,).
    reason
        What was found, in words that end a sentence beginning "because".
    """

    structure: float
    atoms: Floats
    reason: str


class Detector(ABC):
    """One axis. A subclass is final, keeps no state of its own, and takes no labels.

    Attributes
    ----------
    axis
        Its name in files: ``score_{axis}`` and ``quantile_{axis}``.
    title, unit, explanation
        For people: a heading, the unit of a score, and one sentence on what it measures.
    """

    axis: str
    title: str
    unit: str
    explanation: str

    @abstractmethod
    def missing(self, observation: Observation) -> str | None:
        """Return what an observation lacks for this axis, or None when it can be scored."""

    @abstractmethod
    def fit(self, observations: Sequence[Observation]) -> State:
        """Summarise training structures in a few small arrays."""

    @abstractmethod
    def score(self, observation: Observation, state: State) -> Score:
        """Score one structure against a summary made by :meth:`fit`."""
