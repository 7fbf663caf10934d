"""One Morse curve for every bond, at the sum of covalent radii: a toy."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, final

import numpy as np
from ase import Atoms
from ase.calculators.calculator import Calculator
from ase.data import covalent_radii

from farfield.errors import ConfigError
from farfield.priors.contract import Prior

if TYPE_CHECKING:
    import torch

ONSET, END = 1.3, 1.7  # of the switching function, in sums of covalent radii
HEAVIEST = 96  # the last element whose radius is known


@final
class MorsePrior(Prior):
    """D ([1 - exp(-a (r - r₀))]² - 1) between neighbours, r₀ the sum of their covalent radii.

    Switched off between 1.3 and 1.7 r₀, so that it acts between bonded atoms only. Depth and
    width are those of a typical single bond for all pairs, and double bonds are as long as
    single ones: a toy, fit for tests and for showing what a poor prior does.

    Parameters
    ----------
    depth
        D, eV.
    width
        a, 1/Å.
    """

    name = "morse"
    elements = frozenset(range(1, HEAVIEST + 1))
    periodic = True
    conservative = True
    cost: Literal["cheap", "moderate", "costly"] = "moderate"

    def __init__(self, depth: float = 4.0, width: float = 1.9) -> None:
        if not (depth > 0.0 and width > 0.0):
            raise ConfigError(
                f"Morse with depth={depth} eV, width={width} 1/Å: both must be positive"
            )
        self.depth = depth
        self.width = width
        self.level_of_theory = (
            f"toy Morse bonds (depth {depth!r} eV, width {width!r} 1/Å, at the sum of covalent "
            f"radii, smooth from {ONSET!r} to {END!r} of it)"
        )

    def calculator(self) -> Calculator:
        """Return a new Morse calculator."""
        from farfield.priors.pairwise import pair_calculator

        return pair_calculator(self._energy, _reach)

    def _energy(self, r: torch.Tensor, first: torch.Tensor, second: torch.Tensor) -> torch.Tensor:
        from farfield.priors.pairwise import switch

        radii = r.new_tensor(np.asarray(covalent_radii))
        rest = radii[first] + radii[second]  # (E,), Å
        stretch = 1.0 - (-self.width * (r - rest)).exp()
        return self.depth * (stretch**2 - 1.0) * switch(r, ONSET * rest, END * rest)


def _reach(atoms: Atoms) -> float:
    return float(END * 2.0 * covalent_radii[atoms.numbers].max())
