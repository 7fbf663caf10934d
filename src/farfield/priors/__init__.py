"""Priors: cheap physics that labels any structure. Knows ASE; each prior its own library."""

from farfield.priors.cache import LabelCache, default_cache_dir, key_of
from farfield.priors.calculator import CalculatorPrior
from farfield.priors.contract import Failure, Prior, compute, require
from farfield.priors.dispersion import D3Prior, D4Prior
from farfield.priors.emt import EMTPrior
from farfield.priors.gfnff import GFNFFPrior
from farfield.priors.labelling import Labelled, label, label_counted
from farfield.priors.lennard_jones import LennardJonesPrior
from farfield.priors.molecular_mechanics import MMFF94Prior, UFFPrior
from farfield.priors.morse import MorsePrior
from farfield.priors.noise import NoisePrior, noisy
from farfield.priors.registry import FORMS, PRIORS, load_prior
from farfield.priors.sgdml import SGDMLPrior
from farfield.priors.stillinger_weber import StillingerWeberPrior
from farfield.priors.sum import SumPrior
from farfield.priors.xtb import GFN1Prior, GFN2Prior
from farfield.priors.zbl import ZBLPrior

__all__ = [
    "FORMS",
    "PRIORS",
    "CalculatorPrior",
    "D3Prior",
    "D4Prior",
    "EMTPrior",
    "Failure",
    "GFN1Prior",
    "GFN2Prior",
    "GFNFFPrior",
    "LabelCache",
    "Labelled",
    "LennardJonesPrior",
    "MMFF94Prior",
    "MorsePrior",
    "NoisePrior",
    "Prior",
    "SGDMLPrior",
    "StillingerWeberPrior",
    "SumPrior",
    "UFFPrior",
    "ZBLPrior",
    "compute",
    "default_cache_dir",
    "key_of",
    "label",
    "label_counted",
    "load_prior",
    "noisy",
    "require",
]
