"""The contract of a detector: one axis along which a structure may lie far from training."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import numpy.typing as npt
from ase.data import chemical_symbols

if TYPE_CHECKING:
    from collections.abc import Sequence

    from farfield.shifts.observation import Observation
    from farfield.shifts.remembered.memory import Memory

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
State = dict[str, npt.NDArray[Any]]

ELEMENTS = len(chemical_symbols)  # length of everything that is indexed by atomic number


@dataclass(frozen=True)
class Norms:
    """Norms of one kind of vectors on the atoms of a structure, eV/Å.

    Attributes
    ----------
    mean
        Over all N atoms.
    atoms
        Of the n atoms that are told one by one, shape (n,).
    """

    mean: float
    atoms: Floats


class Described(Protocol):
    """A structure of N atoms in the numbers that detectors compare.

    A structure at hand (:class:`farfield.shifts.Observation`) tells all its atoms one by one,
    n = N. One that a profile remembers (:class:`farfield.shifts.remembered.recalled.Recalled`)
    tells n atoms chosen among them, or none, n = 0.
    """

    @property
    def n_atoms(self) -> int:
        """Number of atoms N."""

    @property
    def cutoff(self) -> float:
        """Radius of the graph, Å."""

    @property
    def composition(self) -> Ints:
        """Number of atoms of each element, by atomic number, shape (119,)."""

    @property
    def numbers(self) -> Ints:
        """Atomic numbers of the atoms that are told one by one, shape (n,)."""

    @property
    def weights(self) -> Floats:
        """The share of the structure that each of them stands for, shape (n,)."""

    @property
    def pairs(self) -> Ints:
        """The pairs of elements within the cutoff, each once: 119 * smaller + larger."""

    @property
    def atom_pairs(self) -> tuple[Ints, Ints, Ints]:
        """Atoms (places among the n), their neighbours' elements, and the pairs; shape (M,)."""

    @property
    def density(self) -> npt.NDArray[np.uint16]:
        """Cumulative spectral density, edges weighted, coded, shape (256,)."""

    @property
    def plain_density(self) -> npt.NDArray[np.uint16]:
        """The same with edges counted, in blocks of four grid points, shape (64,)."""

    @property
    def local_densities(self) -> npt.NDArray[np.uint16]:
        """Cumulative local densities, edges weighted, in blocks, shape (n, 64) or (0, 64)."""

    @property
    def unnormalised(self) -> Floats:
        """32 quantiles of the eigenvalues of D − A, edges weighted, shape (32,)."""

    @property
    def coordination(self) -> Floats:
        """32 quantiles of the numbers of neighbours, shape (32,)."""

    @property
    def degrees(self) -> Floats:
        """Numbers of neighbours of the n atoms, shape (n,)."""

    @property
    def spectrum(self) -> Floats | None:
        """Eigenvalues of the normalised Laplacian, edges counted, ascending, shape (N,)."""

    @property
    def share_near_one(self) -> float:
        """Share of these eigenvalues in [0.9, 1.1]."""

    @property
    def features(self) -> Floats | None:
        """Node features, shape (n, F); None without."""

    @property
    def prior_failure(self) -> str | None:
        """Why the prior gave no labels, where it was asked and failed."""

    def norms(self, name: str) -> Norms | None:
        """Norms by name, such as ``"force_norm"``; None where they are not known."""


@dataclass(frozen=True)
class Score:
    """How far one structure of N atoms lies from training along one axis.

    Attributes
    ----------
    structure
        One number in the detector's unit; larger is farther.
    atoms
        The same per atom, shape (N,). An axis without a meaning for single atoms repeats the
        structure's.
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
    default
        Whether it is scored unasked and part of the combined quantile.
    """

    axis: str
    title: str
    unit: str
    explanation: str
    default = False

    @abstractmethod
    def missing(self, seen: Described) -> str | None:
        """Return what a structure lacks for this axis, or None when it can be scored."""

    @abstractmethod
    def fit(self, memory: Memory) -> State:
        """Summarise what is remembered of training in a few arrays."""

    @abstractmethod
    def score(self, seen: Described, state: State) -> Score:
        """Score one structure against a summary made by :meth:`fit`."""

    def score_all(self, seen: Sequence[Observation], state: State) -> list[Score]:
        """Score many structures at hand; the same scores, for less work where a detector can."""
        return [self.score(one, state) for one in seen]
