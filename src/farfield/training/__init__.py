"""Losses, the loop, and the strategies that decide which head learns from what."""

from farfield.training.loop import fit, force_mae
from farfield.training.samples import Sample, Targets, targets
from farfield.training.settings import TrainingSettings, load_settings

__all__ = [
    "Sample",
    "Targets",
    "TrainingSettings",
    "fit",
    "force_mae",
    "load_settings",
    "targets",
]
