"""Mitigate a shift at test time: change the graph, the weights or the output; never the labels."""

from farfield.refinement.adaptation.adapted_each import AdaptedEach
from farfield.refinement.adaptation.one_by_one import OneByOne
from farfield.refinement.adaptation.settings import AdaptationSettings, TestTimeSettings
from farfield.refinement.adaptation.test_time_training import TestTimeTraining
from farfield.refinement.auto import Auto
from farfield.refinement.contract import Curve, Record, Refined, Refinement
from farfield.refinement.correction.corrected import Corrected
from farfield.refinement.correction.delta import Delta
from farfield.refinement.correction.evidence import Evidence, gather_left_out, learn_rule
from farfield.refinement.correction.refinement import Correction
from farfield.refinement.correction.rule import CorrectionRule
from farfield.refinement.distillation.refinement import Distillation, DistillationSettings
from farfield.refinement.models import load_model
from farfield.refinement.radius.evidence import RadiusEvidence, gather_radius_evidence
from farfield.refinement.radius.refined import RadiusRefined
from farfield.refinement.radius.refinement import RadiusRefinement
from farfield.refinement.radius.rule import RadiusRule
from farfield.refinement.radius.table import RadiusByComposition, RadiusTable

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
