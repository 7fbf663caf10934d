"""Mitigate a shift at test time: change the graph, the weights or the output; never the labels."""

from farfield.refinement.adaptation import TestTimeSettings
from farfield.refinement.contract import Curve, Record, Refined, Refinement
from farfield.refinement.models import load_model
from farfield.refinement.radius import RadiusRefinement
from farfield.refinement.radius_rule import RadiusRefined, RadiusRule
from farfield.refinement.test_time_training import TestTimeTraining

__all__ = [
    "Curve",
    "RadiusRefined",
    "RadiusRefinement",
    "RadiusRule",
    "Record",
    "Refined",
    "Refinement",
    "TestTimeSettings",
    "TestTimeTraining",
    "load_model",
]
