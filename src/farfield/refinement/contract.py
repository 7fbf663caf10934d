"""The contract of a refinement: a model and unlabelled structures in, a model and a record out."""

from __future__ import annotations

import platform
import time
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from importlib.metadata import version
from typing import Any

import torch
from ase import Atoms

from farfield.potentials import Potential
from farfield.structures import without_labels


@dataclass(frozen=True)
class Curve:
    """How quantities of one unit went along the steps of a refinement.

    Attributes
    ----------
    title, unit
        The quantity.
    steps
        The steps at which it was judged.
    series
        Values at these steps, by name.
    kept
        The step whose weights were kept.
    """

    title: str
    unit: str
    steps: list[int]
    series: dict[str, list[float]]
    kept: int


@dataclass(frozen=True)
class Record:
    """What a refinement did, and why. No figure in it needs a reference label.

    Attributes
    ----------
    method
        Name of the refinement.
    acted
        Whether the model was changed; if not, the model that came in comes out.
    reasons
        Sentences: why it acted or abstained.
    figures
        Named values with their units in the name.
    curves
        How it went, step by step.
    settings
        The settings it ran with, the seed among them.
    seconds
        Wall time.
    versions
        Of Python, torch and farfield.
    """

    method: str
    acted: bool
    reasons: list[str]
    figures: dict[str, float] = field(default_factory=dict)
    curves: list[Curve] = field(default_factory=list)
    settings: dict[str, Any] = field(default_factory=dict)
    seconds: float = 0.0
    versions: dict[str, str] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """Plain values, for ``record.json``."""
        return asdict(self)


@dataclass(frozen=True)
class Refined:
    """A refined model and the record of its refinement."""

    potential: Potential
    record: Record


class Refinement(ABC):
    """A way to change a model at test time; its settings are given when it is made."""

    name: str

    def refine(self, potential: Potential, structures: Sequence[Atoms]) -> Refined:
        """Refine ``potential`` for ``structures``.

        The structures are stripped to geometry, charge and spin before anything else
        happens, so that no reference label of a test structure can be reached. The model
        that is passed in is not changed.
        """
        start = time.monotonic()
        refined = self._refine(potential, without_labels(structures))
        versions = {
            "python": platform.python_version(),
            "torch": str(torch.__version__),
            "farfield": version("farfield"),
        }
        record = replace(refined.record, seconds=time.monotonic() - start, versions=versions)
        return Refined(refined.potential, record)

    @abstractmethod
    def _refine(self, potential: Potential, structures: list[Atoms]) -> Refined:
        """Do the work on structures without labels."""
