"""Priors: cheap physics that labels any structure. Knows ASE; each prior its own library."""

from farfield.priors.cache import LabelCache, default_cache_dir, key_of
from farfield.priors.calculator import CalculatorPrior
from farfield.priors.contract import Failure, Prior, compute, require
from farfield.priors.emt import EMTPrior
from farfield.priors.labelling import Labelled, label, label_counted
from farfield.priors.lennard_jones import LennardJonesPrior
from farfield.priors.registry import PRIORS, load_prior
from farfield.priors.xtb import GFN1Prior, GFN2Prior

__all__ = [
    "PRIORS",
    "CalculatorPrior",
    "EMTPrior",
    "Failure",
    "GFN1Prior",
    "GFN2Prior",
    "LabelCache",
    "Labelled",
    "LennardJonesPrior",
    "Prior",
    "compute",
    "default_cache_dir",
    "key_of",
    "label",
    "label_counted",
    "load_prior",
    "require",
]
