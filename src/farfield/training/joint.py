"""Joint training: main head and prior head learn from the start, in mixed batches.

They share one representation, so that the prior head can later move it at test time
(Kreiman & Krishnapriyan, arXiv 2503.08674, section 4).
"""

from __future__ import annotations

from collections.abc import Sequence

from ase import Atoms

from farfield.priors import Prior
from farfield.training.training_set import (
    MAIN_HEAD,
    TrainingSet,
    prior_of,
    reference_of,
    two_levels,
)


def joint(structures: Sequence[Atoms], prior: Prior, main: str = MAIN_HEAD) -> TrainingSet:
    """The main head learns from the reference, the prior head from the prior's labels.

    The prior's labels must already be attached (:func:`farfield.label`).
    """
    heads = {
        main: reference_of(structures, "joint training"),
        prior.name: prior_of(structures, prior),
    }
    return TrainingSet(two_levels(heads, prior))
