"""GFN2-xTB and GFN1-xTB by tblite: semi-empirical tight binding, elements 1 to 86."""

from __future__ import annotations

from functools import partial
from typing import ClassVar, Literal, final

from ase import Atoms
from ase.calculators.calculator import Calculator

from farfield.errors import DependencyError
from farfield.priors.contract import Prior
from farfield.priors.function import FunctionCalculator, Results

# Å. GFN1 at the Γ point, against a cell of 11 to 13 Å: MgO at 4.2 Å is off by 1.97 eV per
# atom and at 8.4 Å by 0.13; diamond at 3.6 Å by 1.18 and at 7.1 Å by 0.04.
SMALLEST_CELL = 8.0
PROPERTIES = ("energy", "forces", "stress", "charges", "dipole")


class _XTBPrior(Prior):
    """What the two parametrisations share.

    ``info["charge"]`` (elementary charges, 0 when absent) and ``info["spin"]`` (the
    multiplicity 2S + 1; the lowest that the electrons allow when absent or 1) of a
    structure are used; initial charges and magnetic moments are not.

    tblite samples the Γ point alone and repeats a cell in all three directions. So a
    structure that is periodic in one or two directions, or whose cell is thinner than
    8 Å, is refused: its labels would be wrong by electronvolts, without a sign of it.
    """

    method: ClassVar[str]
    elements = frozenset(range(1, 87))
    periodic = True
    conservative = True
    cost: Literal["cheap", "moderate", "costly"] = "moderate"

    def calculator(self) -> Calculator:
        """Return a new calculator, or raise DependencyError when tblite is not installed."""
        try:
            import tblite.ase  # noqa: F401
        except ImportError as error:
            raise DependencyError("tblite", "xtb", f"the prior {self.name!r}") from error
        return FunctionCalculator(partial(_computed, self.method), PROPERTIES)

    def refusal(self, atoms: Atoms) -> str | None:
        """Return why this prior cannot take ``atoms``, or None when it can."""
        reason = super().refusal(atoms)
        if reason or not atoms.pbc.any():
            return reason
        if not atoms.pbc.all():
            return (
                f"{self.name} takes a structure that is periodic in all three directions or in "
                "none: set pbc to all True, with enough vacuum in the cell"
            )
        thickness = float(1.0 / atoms.cell.reciprocal().lengths().max())
        if thickness < SMALLEST_CELL:
            return (
                f"{self.name} samples the Γ point alone, which is wrong for a cell only "
                f"{thickness:.1f} Å thick: repeat it to at least {SMALLEST_CELL:.0f} Å"
            )
        return None


@final
class GFN2Prior(_XTBPrior):
    """GFN2-xTB: the accurate choice for molecules; about 20 ms for 20 atoms."""

    name = "gfn2"
    level_of_theory = "GFN2-xTB (tblite)"
    method = "GFN2-xTB"


@final
class GFN1Prior(_XTBPrior):
    """GFN1-xTB: as fast as GFN2, faster on periodic structures, somewhat less accurate."""

    name = "gfn1"
    level_of_theory = "GFN1-xTB (tblite)"
    method = "GFN1-xTB"


def _computed(method: str, atoms: Atoms) -> Results:
    """What tblite says of a structure alone, with charge and spin of ``atoms.info``.

    tblite's own calculator starts from the density of the structure before, which moves
    forces by some 1e-4 eV/Å and saves no time. Here every structure starts afresh.
    """
    from tblite.ase import TBLite

    charge, multiplicity = _electrons(atoms)
    bare = Atoms(atoms.numbers, atoms.positions, cell=atoms.cell, pbc=atoms.pbc)
    engine = TBLite(method=method, charge=charge, multiplicity=multiplicity, verbosity=0)
    engine.calculate(bare)
    return {key: value for key, value in engine.results.items() if key in PROPERTIES}


def _electrons(atoms: Atoms) -> tuple[float, int | None]:
    spin = atoms.info.get("spin")
    return float(atoms.info.get("charge", 0.0)), None if spin is None else int(spin)
