"""Any ASE calculator as a prior."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Literal, final

from ase.calculators.calculator import BaseCalculator, Calculator

from farfield.errors import ConfigError, FarfieldError
from farfield.priors.contract import Prior

NAME = re.compile(r"[a-z0-9][a-z0-9_]*")


@final
class CalculatorPrior(Prior):
    """A prior made of an ASE calculator that farfield knows nothing about.

    Parameters
    ----------
    make
        Returns a new calculator: its class, or a function without arguments. To label in
        several processes it must be importable there, so no lambda.
    name
        Lower-case letters, digits and underscores; labels are stored under it.
    level_of_theory
        Everything that decides its numbers, with parameters; part of the cache's key.
    elements, periodic, conservative, cost
        See :class:`farfield.priors.Prior`; `check_prior` tests what is declared here.
    """

    def __init__(
        self,
        make: Callable[[], Calculator],
        *,
        name: str,
        level_of_theory: str,
        elements: Iterable[int] | None = None,
        periodic: bool = True,
        conservative: bool = True,
        cost: Literal["cheap", "moderate", "costly"] = "moderate",
    ) -> None:
        if not NAME.fullmatch(name):
            raise ConfigError(
                f"the prior's name {name!r} must be lower-case letters, digits and underscores"
            )
        self.name = name
        self.level_of_theory = level_of_theory
        self.elements = None if elements is None else frozenset(elements)
        self.periodic = periodic
        self.conservative = conservative
        self.cost = cost
        self._make = make

    def calculator(self) -> Calculator:
        """Return what ``make`` makes.

        Raises
        ------
        ConfigError
            It raises, or makes something other than an ASE calculator.
        """
        try:
            made = self._make()
        except FarfieldError:
            raise
        except Exception as error:
            raise ConfigError(
                f"the prior {self.name!r} cannot make its calculator "
                f"({type(error).__name__}: {error}): it must be callable without arguments"
            ) from error
        if not isinstance(made, BaseCalculator):
            raise ConfigError(
                f"the prior {self.name!r} made a {type(made).__name__}, not an ASE calculator"
            )
        return made
