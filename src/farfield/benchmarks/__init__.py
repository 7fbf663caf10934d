"""How well a model does, against honest baselines."""

from farfield.benchmarks.results.metrics import (
    Errors,
    Estimate,
    auroc,
    bootstrap,
    errors,
    structure_force_mae,
)

__all__ = ["Errors", "Estimate", "auroc", "bootstrap", "errors", "structure_force_mae"]
