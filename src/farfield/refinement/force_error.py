"""Both heads' errors on structures that a model was not trained on."""

from __future__ import annotations

from collections.abc import Sequence

from ase import Atoms

from farfield.potentials import TrainablePotential
from farfield.priors import Prior
from farfield.shifts.expected_error import LeftOutError
from farfield.structures import LeftOut, require_labels, without_labels


def left_out_errors(
    potential: TrainablePotential,
    structures: Sequence[Atoms],
    left: LeftOut,
    prior: Prior,
    group: int,
) -> list[LeftOutError]:
    """Both heads' errors on the group that a model was not trained on."""
    chosen = [structures[place] for place in left.outside]
    reference = require_labels(chosen, purpose="the error estimate")
    cheap = require_labels(chosen, prior.label_name, purpose="the error estimate")
    bare = without_labels(chosen)
    main, other = potential.predict(bare), potential.predict(bare, prior.name)
    return [
        LeftOutError.of(
            group, second.forces - known.known_forces, first.forces - truth.known_forces
        )
        for first, second, truth, known in zip(main, other, reference, cheap, strict=True)
    ]
