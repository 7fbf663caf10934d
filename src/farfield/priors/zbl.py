"""Ziegler-Biersack-Littmark: the screened repulsion of two nuclei, for every element."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, final

from ase.calculators.calculator import Calculator
from ase.units import Bohr, Hartree

from farfield.errors import ConfigError
from farfield.priors.contract import Prior

if TYPE_CHECKING:
    import torch

ONSET = 0.66  # share of the cutoff at which the switching function begins
_SCREENING = ((0.18175, 3.19980), (0.50986, 0.94229), (0.28022, 0.40290), (0.02817, 0.20162))


@final
class ZBLPrior(Prior):
    """Z₁ Z₂ e²/(4 π ε₀ r) times the universal screening function, switched off smoothly.

    The stopping of ions in matter (Ziegler, Biersack and Littmark, 1985). It repels at every
    distance and knows no bonds: alone it is a poor prior, and right where atoms collide.

    Parameters
    ----------
    cutoff
        Distance beyond which energy and force are zero, Å.
    """

    name = "zbl"
    elements = None
    periodic = True
    conservative = True
    cost: Literal["cheap", "moderate", "costly"] = "moderate"

    def __init__(self, cutoff: float = 5.0) -> None:
        if not cutoff > 0.0:
            raise ConfigError(f"ZBL with cutoff={cutoff} Å: it must be positive")
        self.cutoff = cutoff
        self.level_of_theory = (
            f"ZBL nuclear repulsion (smooth from {ONSET * cutoff!r} to {cutoff!r} Å)"
        )

    def calculator(self) -> Calculator:
        """Return a new ZBL calculator."""
        from farfield.priors.pairwise import pair_calculator

        return pair_calculator(self._energy, lambda atoms: self.cutoff)

    def _energy(self, r: torch.Tensor, first: torch.Tensor, second: torch.Tensor) -> torch.Tensor:
        from farfield.priors.pairwise import switch

        length = 0.88534 * Bohr / (first**0.23 + second**0.23)  # (E,), Å
        screened = sum(share * (-rate * r / length).exp() for share, rate in _SCREENING)
        return (
            Hartree
            * Bohr
            * first
            * second
            / r
            * screened
            * switch(r, ONSET * self.cutoff, self.cutoff)
        )
