"""Do the two heads err alike where the errors of both are known: on labelled training structures?

Whatever follows the prior's head, a correction by its error, a step that lowers it, a radius at
which it is small, helps the main head as far as both err alike. On molecules with GFN2-xTB they
do, in training too; on silicon with a Stillinger-Weber potential, whose forces are nearly
exact for the head that learned them, the main head's errors are others.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from ase import Atoms

from farfield.potentials import Potential
from farfield.priors import LabelCache, Prior, label
from farfield.structures import Labels, labels_of, without_labels

LEAST_ALIKE = 0.25  # correlation of the two errors; chosen on the development sets
CHECKED = 32  # training structures for which the prior is computed


def some(training: Sequence[Atoms]) -> list[Atoms]:
    """At most 32 of them, evenly spaced, without isolated atoms."""
    step = max(1, -(-len(training) // CHECKED))
    return [atoms for atoms in training if len(atoms) > 1][::step]


def err_apart(
    potential: Potential,
    prior: Prior,
    training: Sequence[Atoms],
    *,
    workers: int = 1,
    cache: LabelCache | None = None,
) -> str | None:
    """Why the prior head's error tells nothing of the main head's; None if it does.

    Parameters
    ----------
    potential, prior
        A model with a head of the prior's name, and the prior.
    training
        Structures that it was trained on; those with reference labels are looked at, at most
        32. Without labels nothing is known, and None is returned.
    workers, cache
        For labelling.
    """
    taken = [
        (atoms, found.forces)
        for atoms in some(training)
        if (found := labels_of(atoms)) is not None and found.forces is not None
    ]
    bare = without_labels([atoms for atoms, _ in taken])
    if not bare:
        return None
    outcomes = label(bare, prior, workers=workers, cache=cache, progress=False)
    pairs = zip(
        potential.predict(bare), potential.predict(bare, prior.name), taken, outcomes, strict=True
    )
    errors = [
        (own.forces - reference, head.forces - outcome.known_forces)
        for own, head, (_, reference), outcome in pairs
        if isinstance(outcome, Labels)
    ]
    if not errors:
        return None
    main, other = (np.concatenate([pair[place].ravel() for pair in errors]) for place in (0, 1))
    size = float(np.linalg.norm(main) * np.linalg.norm(other))
    alike = float(main @ other) / size if size > 0.0 else 1.0  # no error: nothing speaks against it
    if alike >= LEAST_ALIKE:
        return None
    return (
        f"on {len(errors)} training structures with reference labels the errors of the two heads "
        f"have a correlation of {alike:.2f}, below {LEAST_ALIKE:g}: what the prior's head errs by "
        "tells nothing of the main head's error"
    )
