"""One Lennard-Jones potential for every element: a toy that needs nothing but ASE."""

from __future__ import annotations

from typing import Literal, final

from ase.calculators.calculator import Calculator

from farfield.errors import ConfigError
from farfield.priors.contract import Prior

ONSET = 0.66  # share of the cutoff at which the switching function begins


@final
class LennardJonesPrior(Prior):
    """4 ε [(σ/r)¹² - (σ/r)⁶] between all pairs, switched off smoothly before the cutoff.

    It knows no elements and no bonds, so it is fit for tests and for showing what a poor
    prior does. The default puts its minimum at 1.12 Å, a length of bonds to hydrogen.

    Parameters
    ----------
    sigma
        Distance at which the energy is zero, Å.
    epsilon
        Depth of the minimum, eV.
    cutoff
        Distance beyond which energy and force are zero, Å.
    """

    name = "lj"
    elements = None
    periodic = True
    conservative = True
    cost: Literal["cheap", "moderate", "costly"] = "moderate"

    def __init__(self, sigma: float = 1.0, epsilon: float = 0.1, cutoff: float = 5.0) -> None:
        if not (sigma > 0.0 and epsilon > 0.0 and cutoff > sigma):
            raise ConfigError(
                f"Lennard-Jones with sigma={sigma} Å, epsilon={epsilon} eV, cutoff={cutoff} Å: "
                "all must be positive, and the cutoff larger than sigma"
            )
        self.sigma = sigma
        self.epsilon = epsilon
        self.cutoff = cutoff
        self.level_of_theory = (
            f"Lennard-Jones (sigma {sigma!r} Å, epsilon {epsilon!r} eV, "
            f"smooth from {ONSET * cutoff!r} to {cutoff!r} Å)"
        )

    def calculator(self) -> Calculator:
        """Return a new Lennard-Jones calculator."""
        from ase.calculators.lj import LennardJones

        return LennardJones(
            sigma=self.sigma,
            epsilon=self.epsilon,
            rc=self.cutoff,
            ro=ONSET * self.cutoff,
            smooth=True,
        )
