"""Stillinger-Weber: pairs, and a penalty on angles that are not tetrahedral."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal, final

import numpy as np
import numpy.typing as npt
from ase import Atoms
from ase.calculators.calculator import Calculator

from farfield.errors import CapabilityError
from farfield.priors.contract import Prior

if TYPE_CHECKING:
    import torch

    from farfield.graphs import Graph

Ints = npt.NDArray[np.int64]

# The same for every element, without dimension.
A, B, CUTOFF, GAMMA = 7.049556277, 0.6022245584, 1.80, 1.20


@dataclass(frozen=True)
class Parameters:
    """Of one element: the depth ε (eV), the length σ (Å), and the weight of the angles λ."""

    epsilon: float
    sigma: float
    angles: float

    @property
    def cutoff(self) -> float:
        """Distance at which the energy of a pair ends, Å."""
        return CUTOFF * self.sigma


PARAMETERS = MappingProxyType(
    {14: Parameters(2.1683, 2.0951, 21.0), 32: Parameters(1.93, 2.181, 31.0)}
)


@final
class StillingerWeberPrior(Prior):
    """The Stillinger-Weber potential of silicon or germanium, one element at a time.

    Made for the diamond crystal, in which every atom has four neighbours at tetrahedral
    angles, and for the liquid near its melting point. Dense phases and hot liquids, with six
    and more neighbours, are beyond it.

    References
    ----------
    F. H. Stillinger and T. A. Weber, Phys. Rev. B 31, 5262 (1985), for silicon, with the depth
    of 2.1683 eV that gives its cohesive energy; K. Ding and H. C. Andersen, Phys. Rev. B 34,
    6987 (1986), for germanium.
    """

    name = "sw"
    level_of_theory = "Stillinger-Weber (Si: Stillinger 1985, Ge: Ding 1986)"
    elements = frozenset(PARAMETERS)
    periodic = True
    conservative = True
    cost: Literal["cheap", "moderate", "costly"] = "moderate"

    def refusal(self, atoms: Atoms) -> str | None:
        """Return why this prior cannot take ``atoms``, or None when it can."""
        refused = super().refusal(atoms)
        if refused is None and len(set(atoms.numbers.tolist())) > 1:
            return "sw has no parameters for silicon and germanium in one structure"
        return refused

    def calculator(self) -> Calculator:
        """Return a new Stillinger-Weber calculator."""
        from farfield.priors.pairwise import neighbour_calculator

        return neighbour_calculator(_energy, self._cutoff)

    def _cutoff(self, atoms: Atoms) -> float:
        refused = self.refusal(atoms)
        if refused:
            raise CapabilityError(refused)
        return PARAMETERS[int(atoms.numbers[0])].cutoff


def _energy(between: torch.Tensor, graph: Graph) -> torch.Tensor:
    own = PARAMETERS[int(graph.numbers[0])]
    r = between.norm(dim=1)  # (E,), Å
    end = own.sigma / (r - own.cutoff)
    pairs = 0.5 * A * (B * (own.sigma / r) ** 4 - 1.0) * end.exp()
    one, other = _angles(graph.senders)
    cosine = (between[one] * between[other]).sum(dim=1) / (r[one] * r[other])  # (angles,)
    angles = own.angles * (cosine + 1.0 / 3.0) ** 2 * (GAMMA * (end[one] + end[other])).exp()
    energy: torch.Tensor = own.epsilon * (pairs.sum() + angles.sum())
    return energy


def _angles(senders: Ints) -> tuple[Ints, Ints]:
    """Edges that leave the same atom, every two of them once."""
    order = np.argsort(senders, kind="stable")
    stops = np.searchsorted(senders[order], senders[order], side="right")  # of each one's group
    later = stops - np.arange(len(order)) - 1  # how many of its group follow
    first = np.repeat(np.arange(len(order)), later)
    second = first + 1 + np.arange(len(first)) - np.repeat(np.cumsum(later) - later, later)
    return order[first], order[second]
