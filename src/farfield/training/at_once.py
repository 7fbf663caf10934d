"""One phase of training, in which all samples are learned from together."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from farfield.potentials import TrainablePotential
from farfield.training.loop import Report, fit
from farfield.training.samples import Sample
from farfield.training.settings import TrainingSettings
from farfield.training.training_set import TrainingSet


def at_once(
    potential: TrainablePotential,
    training_set: TrainingSet,
    settings: TrainingSettings,
    *,
    validation: Sequence[Sample] = (),
    checkpoint: Path | None = None,
    report: Report = lambda record: None,
) -> dict[str, Any]:
    """Train all of ``potential`` in place; see :func:`farfield.training.fit`.

    Returns
    -------
    What the model's metadata should hold: the ``history``.
    """
    history = fit(
        potential,
        training_set.samples,
        settings,
        validation=validation,
        checkpoint=checkpoint,
        report=report,
    )
    return {"history": history}
