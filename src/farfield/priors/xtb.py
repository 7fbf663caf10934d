"""GFN2-xTB and GFN1-xTB by tblite: semi-empirical tight binding, elements 1 to 86."""

from __future__ import annotations

from typing import ClassVar, Literal, final

from ase import Atoms
from ase.calculators.calculator import Calculator, all_changes

from farfield.errors import DependencyError
from farfield.priors.contract import Prior

# Å. GFN1 at the Γ point, against a cell of 11 to 13 Å: MgO at 4.2 Å is off by 1.97 eV per
# atom and at 8.4 Å by 0.13; diamond at 3.6 Å by 1.18 and at 7.1 Å by 0.04.
SMALLEST_CELL = 8.0


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
        return XTBCalculator(self.method)

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


@final
class XTBCalculator(Calculator):
    """An ASE calculator whose result depends on the structure alone.

    tblite's own calculator starts from the density of the structure before, which moves
    forces by some 1e-4 eV/Å and saves no time. This one starts every structure afresh,
    and takes charge and spin from ``atoms.info``.
    """

    implemented_properties = ["energy", "free_energy", "forces", "stress", "charges", "dipole"]  # noqa: RUF012 - ASE's own declaration

    def __init__(self, method: str) -> None:
        super().__init__()
        self._method = method

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
        from tblite.ase import TBLite

        super().calculate(atoms, properties, system_changes)
        current = self.atoms
        assert current is not None  # ASE has just set it
        charge, multiplicity = _electrons(current)
        bare = Atoms(current.numbers, current.positions, cell=current.cell, pbc=current.pbc)
        engine = TBLite(method=self._method, charge=charge, multiplicity=multiplicity, verbosity=0)
        engine.calculate(bare)
        known = self.implemented_properties
        self.results = {key: value for key, value in engine.results.items() if key in known}


def _electrons(atoms: Atoms) -> tuple[float, int | None]:
    spin = atoms.info.get("spin")
    return float(atoms.info.get("charge", 0.0)), None if spin is None else int(spin)
