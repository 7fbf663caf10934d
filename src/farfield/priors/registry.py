"""The priors that farfield ships, and how a prior is named."""

from __future__ import annotations

import copyreg
import inspect
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, cast

from farfield.errors import ConfigError, did_you_mean
from farfield.importing import Imported
from farfield.priors.calculator import CalculatorPrior
from farfield.priors.contract import Prior
from farfield.priors.emt import EMTPrior
from farfield.priors.lennard_jones import LennardJonesPrior
from farfield.priors.xtb import GFN1Prior, GFN2Prior

PRIORS: Mapping[str, type[Prior]] = MappingProxyType(
    {prior.name: prior for prior in (GFN2Prior, GFN1Prior, EMTPrior, LennardJonesPrior)}
)


def load_prior(spec: str | Prior) -> Prior:
    """Return the prior that ``spec`` names; a prior is returned as it is.

    Parameters
    ----------
    spec
        An alias such as ``"gfn2"``; or ``module:Name`` or ``file.py:Name``, where ``Name``
        is a prior or its class, or an ASE calculator class (or a function returning a
        calculator), which is wrapped by :class:`CalculatorPrior`.

    Raises
    ------
    ConfigError
        Nothing has that name, or what has it is neither a prior nor callable.
    """
    if isinstance(spec, Prior):
        return spec
    if spec in PRIORS:
        return PRIORS[spec]()
    if ":" not in spec:
        raise ConfigError(
            f"no prior is called {spec!r}{did_you_mean(spec, PRIORS)} "
            "(your own is module:Class or file.py:Class)"
        )
    return _from_code(Imported.parse(spec))


def _from_code(imported: Imported) -> Prior:
    found = imported.load()
    if inspect.isclass(found) and issubclass(found, Prior):
        try:
            found = found()
        except TypeError as error:
            raise ConfigError(f"the prior {imported.name} cannot be made: {error}") from error
    if isinstance(found, Prior):
        _make_portable(found, imported)
        return found
    if not callable(found):
        raise ConfigError(
            f"{imported.source}:{imported.name} is a {type(found).__name__}: it must be a prior, "
            "an ASE calculator class, or a function that returns a calculator"
        )
    version = f" ({imported.version})" if imported.version else ""
    source = imported.source.replace("\\", "/").rsplit("/", 1)[-1]
    return CalculatorPrior(
        imported,
        name=imported.name.lower(),
        level_of_theory=f"{source}:{imported.name}{version}",
    )


def _make_portable(prior: Prior, imported: Imported) -> None:
    """Let a prior whose class stands in a file be pickled, hence go to worker processes."""
    copyreg.pickle(type(prior), lambda instance: (_revive, (imported, vars(instance))))


def _revive(imported: Imported, state: dict[str, Any]) -> Prior:
    found = imported.load()
    instance = cast(Prior, object.__new__(found if inspect.isclass(found) else type(found)))
    vars(instance).update(state)
    return instance
