"""London dispersion by DFT-D3 and DFT-D4: a correction, to be added to another prior."""

from __future__ import annotations

import re
from abc import abstractmethod
from typing import Any, ClassVar, Literal, final

import numpy as np
from ase import Atoms
from ase.calculators.calculator import Calculator
from ase.units import Bohr, Hartree

from farfield.errors import ConfigError, DependencyError
from farfield.priors.contract import Prior
from farfield.priors.function import FunctionCalculator, Results, charge_of

_FUNCTIONAL = re.compile(r"[a-z0-9][a-z0-9_-]*")


class DispersionPrior(Prior):
    """What D3 and D4 share: the damping is that of one density functional, which must be named.

    Alone it is no model of a molecule: add it to a prior that has no dispersion, such as
    ``model:MODEL+d4-pbe`` for a model of PBE labels.

    Parameters
    ----------
    functional
        The functional whose damping parameters are taken, such as ``"pbe"``.
    """

    method: ClassVar[str]
    package: ClassVar[str]
    periodic = True
    conservative = True
    cost: Literal["cheap", "moderate", "costly"] = "moderate"

    def __init__(self, functional: str) -> None:
        functional = functional.lower()
        if not _FUNCTIONAL.fullmatch(functional):
            raise ConfigError(
                f"{self.method} with the functional {functional!r}: it must be a name such as "
                f"'pbe' ({self.method}-pbe)"
            )
        self.functional = functional
        self.name = f"{self.method}_{functional.replace('-', '_')}"
        self.level_of_theory = self._level()

    def calculator(self) -> Calculator:
        """Return a new calculator.

        Raises
        ------
        DependencyError
            The package behind it is not installed.
        ConfigError
            It has no parameters for the functional.
        """
        try:
            damping = self._damping()
        except ImportError as error:
            raise DependencyError(self.package, "dispersion", f"the prior {self.name!r}") from error
        except RuntimeError as error:
            raise ConfigError(
                f"{self.package} has no parameters for the functional {self.functional!r}"
            ) from error

        def function(atoms: Atoms) -> Results:
            found = self._model(atoms).get_dispersion(damping, grad=True)
            results = {
                "energy": float(found["energy"]) * Hartree,
                "forces": -found["gradient"] * (Hartree / Bohr),
            }
            if atoms.pbc.all():
                virial = found["virial"] * (Hartree / atoms.get_volume())  # (3, 3)
                results["stress"] = virial.ravel()[[0, 4, 8, 5, 2, 1]]
            return results

        return FunctionCalculator(function, ("energy", "forces", "stress"))

    @abstractmethod
    def _level(self) -> str:
        """Return the level of theory."""

    @abstractmethod
    def _damping(self) -> Any:
        """Return the package's damping parameters; RuntimeError for an unknown functional."""

    @abstractmethod
    def _model(self, atoms: Atoms) -> Any:
        """Return the package's dispersion model of a structure."""


@final
class D3Prior(DispersionPrior):
    """D3 with Becke-Johnson damping (Grimme et al., J. Comput. Chem. 32, 1456, 2011)."""

    method = "d3"
    package = "dftd3"
    elements = frozenset(range(1, 104))

    def _level(self) -> str:
        return f"D3(BJ) dispersion for {self.functional} (dftd3)"

    def _damping(self) -> Any:
        from dftd3.interface import RationalDampingParam

        return RationalDampingParam(method=self.functional)

    def _model(self, atoms: Atoms) -> Any:
        from dftd3.interface import DispersionModel

        return DispersionModel(
            atoms.numbers, atoms.positions / Bohr, np.asarray(atoms.cell) / Bohr, atoms.pbc
        )


@final
class D4Prior(DispersionPrior):
    """D4 (Caldeweyher et al., J. Chem. Phys. 150, 154122, 2019); ``info["charge"]`` is used.

    Its three-body term makes dense crystals slow, a minute for 32 atoms of copper; D3, which
    is used without that term, takes a tenth of a second.
    """

    method = "d4"
    package = "dftd4"
    elements = frozenset(range(1, 104))

    def _level(self) -> str:
        return f"D4 dispersion for {self.functional} (dftd4)"

    def _damping(self) -> Any:
        from dftd4.interface import DampingParam

        return DampingParam(method=self.functional)

    def _model(self, atoms: Atoms) -> Any:
        from dftd4.interface import DispersionModel

        return DispersionModel(
            atoms.numbers,
            atoms.positions / Bohr,
            float(charge_of(atoms)),
            np.asarray(atoms.cell) / Bohr,
            atoms.pbc,
        )
