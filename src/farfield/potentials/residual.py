"""The prior residual: an error of a two-head model that is known without labels."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from ase import Atoms

from farfield.potentials.contract import Potential
from farfield.structures import Labels


def residual_of(
    potential: Potential,
    head: str,
    prior_labels: Sequence[Labels | None],
    structures: Sequence[Atoms],
) -> list[npt.NDArray[np.float64] | None]:
    """Return F_prior-head − F_prior of each structure of N atoms, shape (N, 3), eV/Å.

    Parameters
    ----------
    potential
        A model with a head for the prior.
    head
        The head's name, which is the prior's.
    prior_labels
        The prior's labels of the same structures; None where it gave none.
    structures
        The structures; those without prior labels are not predicted.

    Returns
    -------
    One array per structure, None where the prior gave no labels.

    Raises
    ------
    ModelError
        The model has no such head.
    LabelError
        Labels without forces.
    """
    potential.main_head(head)
    pairs = zip(structures, prior_labels, strict=True)
    known = [(atoms, labels.known_forces) for atoms, labels in pairs if labels is not None]
    predictions = iter(potential.predict([atoms for atoms, _ in known], head) if known else [])
    forces = iter(prior for _, prior in known)
    return [
        None if labels is None else next(predictions).forces - next(forces)
        for labels in prior_labels
    ]
