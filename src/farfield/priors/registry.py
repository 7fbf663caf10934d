"""The priors that farfield ships, and how a prior is named."""

from __future__ import annotations

import copyreg
import inspect
import re
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, cast

from farfield.errors import ConfigError, did_you_mean
from farfield.importing import Imported
from farfield.priors.calculator import CalculatorPrior
from farfield.priors.contract import Prior
from farfield.priors.dispersion import D3Prior, D4Prior
from farfield.priors.emt import EMTPrior
from farfield.priors.gfnff import GFNFFPrior
from farfield.priors.lennard_jones import LennardJonesPrior
from farfield.priors.molecular_mechanics import MMFF94Prior, UFFPrior
from farfield.priors.morse import MorsePrior
from farfield.priors.noise import NoisePrior
from farfield.priors.sgdml import SGDMLPrior
from farfield.priors.stillinger_weber import StillingerWeberPrior
from farfield.priors.sum import SumPrior
from farfield.priors.xtb import GFN1Prior, GFN2Prior
from farfield.priors.zbl import ZBLPrior

PRIORS: Mapping[str, type[Prior]] = MappingProxyType(
    {
        prior.name: prior
        for prior in (
            GFN2Prior,
            GFN1Prior,
            GFNFFPrior,
            MMFF94Prior,
            UFFPrior,
            EMTPrior,
            StillingerWeberPrior,
            LennardJonesPrior,
            MorsePrior,
            ZBLPrior,
        )
    }
)

# The last term is an alias, which may end in a number, or a file; a path may hold a + as well.
_SUM = re.compile(r"(?P<first>.+)\+(?P<last>(model|sgdml):.+|[\w-]+(\.\d+)?(e-?\d+)?)")

# Names that end in a parameter.
FORMS: Mapping[str, str] = MappingProxyType(
    {
        "d3-FUNCTIONAL": "D3(BJ) dispersion for a density functional, such as d3-pbe",
        "d4-FUNCTIONAL": "D4 dispersion for a density functional, such as d4-pbe",
        "noise-RMS": "forces without information, of so many eV/Å, for studies",
        "sgdml:FILE": "an sGDML model; sgdml:FILE@UNIT where it declares no unit of energy",
        "model:MODEL": "any model, named as for --model",
        "PRIOR+PRIOR": "a sum, such as model:MODEL+d4-pbe",
        "module:Name": "a prior or an ASE calculator of your own; also file.py:Name",
    }
)


def load_prior(spec: str | Prior) -> Prior:
    """Return the prior that ``spec`` names; a prior is returned as it is.

    Parameters
    ----------
    spec
        An alias such as ``"gfn2"``, or one of :data:`FORMS`. In ``module:Name`` and
        ``file.py:Name``, ``Name`` is a prior or its class, or an ASE calculator class (or a
        function returning a calculator), which is wrapped by :class:`CalculatorPrior`.

    Raises
    ------
    ConfigError
        Nothing has that name, or what has it is neither a prior nor callable.
    """
    if isinstance(spec, Prior):
        return spec
    if spec in PRIORS:
        return PRIORS[spec]()
    if found := _SUM.fullmatch(spec):
        return SumPrior(load_prior(found["first"]), load_prior(found["last"]))
    kind, colon, rest = spec.partition(":")
    if colon and kind in _LOADERS:
        return _LOADERS[kind](rest)
    if colon:
        return _from_code(Imported.parse(spec))
    kind, _, parameter = spec.partition("-")
    if kind in _PARAMETRISED:
        return _parametrised(spec, kind, parameter)
    raise ConfigError(
        f"no prior is called {spec!r}{did_you_mean(spec, [*PRIORS, *FORMS])} "
        "(your own is module:Class or file.py:Class)"
    )


def _parametrised(spec: str, kind: str, parameter: str) -> Prior:
    form = next(form for form in FORMS if form.startswith(f"{kind}-"))
    if not parameter:
        raise ConfigError(f"the prior {spec!r} needs a parameter, {form}: {FORMS[form]}")
    try:
        return _PARAMETRISED[kind](parameter)
    except ValueError as error:
        raise ConfigError(f"the prior {spec!r} is not of the form {form} ({error})") from error


def _sgdml(rest: str) -> Prior:
    path, at, unit = rest.rpartition("@")
    return SGDMLPrior(path, unit) if at else SGDMLPrior(rest)


def _model(rest: str) -> Prior:
    from farfield.priors.potential import PotentialPrior  # it imports torch

    return PotentialPrior(rest)


_LOADERS: Mapping[str, Callable[[str], Prior]] = {"sgdml": _sgdml, "model": _model}
_PARAMETRISED: Mapping[str, Callable[[str], Prior]] = {
    "d3": D3Prior,
    "d4": D4Prior,
    "noise": lambda parameter: NoisePrior(float(parameter)),
}


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
