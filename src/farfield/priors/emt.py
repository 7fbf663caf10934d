"""Effective medium theory by ASE: fast, for seven metals."""

from __future__ import annotations

from typing import Literal, final

from ase.calculators.calculator import Calculator
from ase.data import atomic_numbers

from farfield.priors.contract import Prior

METALS = ("Al", "Ni", "Cu", "Pd", "Ag", "Pt", "Au")
TOYS = ("H", "C", "N", "O")


@final
class EMTPrior(Prior):
    """Effective medium theory (Jacobsen, Stoltze and Nørskov, Surf. Sci. 366, 394, 1996).

    Real parameters for Al, Ni, Cu, Pd, Ag, Pt and Au. ASE also gives H, C, N and O
    parameters "just for fun": they run, but they are fit for tests only.
    """

    name = "emt"
    level_of_theory = "EMT (ASE)"
    elements = frozenset(atomic_numbers[symbol] for symbol in METALS + TOYS)
    periodic = True
    conservative = True
    cost: Literal["cheap", "moderate", "costly"] = "moderate"

    def calculator(self) -> Calculator:
        """Return a new EMT calculator."""
        from ase.calculators.emt import EMT

        return EMT()
