"""What an adaptation minimises; no objective needs a label of a test structure."""

from farfield.refinement.objectives.distil import DistilObjective
from farfield.refinement.objectives.objective import Objective, SampledObjective
from farfield.refinement.objectives.prior import PriorObjective
from farfield.refinement.objectives.replay import ReplayObjective
from farfield.refinement.objectives.together import Together

__all__ = [
    "DistilObjective",
    "Objective",
    "PriorObjective",
    "ReplayObjective",
    "SampledObjective",
    "Together",
]
