"""What an adaptation minimises; no objective needs a label of a test structure."""

from farfield.refinement.objectives.anchor import AnchorObjective
from farfield.refinement.objectives.consistency import ConsistencyObjective, Disagreement
from farfield.refinement.objectives.denoise import DenoiseObjective
from farfield.refinement.objectives.distil import DistilObjective
from farfield.refinement.objectives.objective import Objective, SampledObjective
from farfield.refinement.objectives.prior import PriorObjective
from farfield.refinement.objectives.replay import ReplayObjective
from farfield.refinement.objectives.together import Together

__all__ = [
    "AnchorObjective",
    "ConsistencyObjective",
    "DenoiseObjective",
    "Disagreement",
    "DistilObjective",
    "Objective",
    "PriorObjective",
    "ReplayObjective",
    "SampledObjective",
    "Together",
]
