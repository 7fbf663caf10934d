"""Mitigate a shift at test time: change the graph, the weights or the output; never the labels."""

from farfield.refinement.adaptation_settings import AdaptationSettings, TestTimeSettings
from farfield.refinement.adapted_each import AdaptedEach
from farfield.refinement.auto import Auto
from farfield.refinement.contract import Curve, Record, Refined, Refinement
from farfield.refinement.corrected import Corrected
from farfield.refinement.correction import Correction
from farfield.refinement.correction_rule import CorrectionRule
from farfield.refinement.delta import Delta
from farfield.refinement.distillation import Distillation, DistillationSettings
from farfield.refinement.evidence import Evidence, gather_left_out, learn_rule
from farfield.refinement.models import load_model
from farfield.refinement.one_by_one import OneByOne
from farfield.refinement.radius import RadiusRefinement
from farfield.refinement.radius_evidence import RadiusEvidence, gather_radius_evidence
from farfield.refinement.radius_refined import RadiusRefined
from farfield.refinement.radius_rule import RadiusRule
from farfield.refinement.radius_table import RadiusByComposition, RadiusTable
from farfield.refinement.test_time_training import TestTimeTraining

__all__ = [
    "AdaptationSettings",
    "AdaptedEach",
    "Auto",
    "Corrected",
    "Correction",
    "CorrectionRule",
    "Curve",
    "Delta",
    "Distillation",
    "DistillationSettings",
    "Evidence",
    "OneByOne",
    "RadiusByComposition",
    "RadiusEvidence",
    "RadiusRefined",
    "RadiusRefinement",
    "RadiusRule",
    "RadiusTable",
    "Record",
    "Refined",
    "Refinement",
    "TestTimeSettings",
    "TestTimeTraining",
    "gather_left_out",
    "gather_radius_evidence",
    "learn_rule",
    "load_model",
]
