"""An ASE calculator made of a function of one structure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, final

from ase import Atoms
from ase.calculators.calculator import Calculator, all_changes

Results = Mapping[str, Any]


@final
class FunctionCalculator(Calculator):
    """An ASE calculator whose results are a function of the structure, charge and spin included.

    Parameters
    ----------
    function
        Takes a structure and returns ``energy`` (eV), ``forces`` (N, 3) (eV/Å) and, where it
        has one, ``stress`` (6,) (eV/Å³, ASE's sign and Voigt order).
    properties
        What it returns.
    """

    def __init__(
        self,
        function: Callable[[Atoms], Results],
        properties: Sequence[str] = ("energy", "forces"),
    ) -> None:
        super().__init__()
        self.implemented_properties = [*properties, "free_energy"]
        self._function = function

    def check_state(self, atoms: Atoms, tol: float = 1e-15) -> list[str]:
        """Return what changed since the last result; ASE does not look at charge and spin."""
        changes: list[str] = super().check_state(atoms, tol)
        if self.atoms is not None and _electrons(atoms) != _electrons(self.atoms):
            changes.append("initial_charges")
        return changes

    def calculate(
        self,
        atoms: Atoms | None = None,
        properties: list[str] | None = None,
        system_changes: list[str] = all_changes,
    ) -> None:
        """Compute every property of ``atoms``."""
        super().calculate(atoms, properties, system_changes)
        assert self.atoms is not None  # ASE has just set it
        results = self._function(self.atoms)
        self.results = {**results, "free_energy": results["energy"]}


def charge_of(atoms: Atoms) -> int:
    """Return ``info["charge"]``, 0 when absent; it must be a whole number."""
    given = atoms.info.get("charge", 0)
    charge = float(given)
    if charge != round(charge):
        raise ValueError(f"the charge {given!r} is not a whole number")
    return round(charge)


def _electrons(atoms: Atoms) -> tuple[str, str]:
    return str(atoms.info.get("charge")), str(atoms.info.get("spin"))
