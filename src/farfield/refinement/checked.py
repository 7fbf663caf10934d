"""The prior and its head, checked where more is known: on structures of the training set.

Whatever follows the prior's head, a correction by its error, a step that lowers it, a radius at
which it is small, asks two things first. Is this the prior that the head has learned? And do the
two heads err alike? On molecules with GFN2-xTB they do, in training too; on silicon with a
Stillinger-Weber potential, whose forces are nearly exact for the head that learned them, the
main head's errors are others.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from ase import Atoms

from farfield.potentials import Potential, TrainablePotential
from farfield.priors import LabelCache, Prior, label
from farfield.refinement.adaptation.replay import refuse_leak
from farfield.refinement.correction.rule import LEAST_LEARNED
from farfield.structures import Labels, labels_of, without_labels

Floats = npt.NDArray[np.float64]

CHECKED = 32  # training structures for which the prior is computed
DRIFT = 3.0  # times the residual that the prior's head had in training
LEAST_ALIKE = 0.25  # correlation of the two heads' errors; chosen on the development sets
SCALE = "residual_rms_eV_per_A"  # where retrofit keeps it in a model's metadata


@dataclass(frozen=True)
class Known:
    """Forces on one training structure, each of shape (n, 3), eV/Å.

    Attributes
    ----------
    main, head
        By the model's main head, and by the prior's.
    prior
        By the prior.
    reference
        Its labels; None where it has none.
    """

    main: Floats
    head: Floats
    prior: Floats
    reference: Floats | None


def doubted(
    potential: Potential,
    prior: Prior,
    training: Sequence[Atoms],
    structures: Sequence[Atoms],
    *,
    alike: bool = True,
    workers: int = 1,
    cache: LabelCache | None = None,
) -> str | None:
    """Why the prior is not to be followed; None if it may be, or nothing is known.

    Parameters
    ----------
    potential, prior
        A model with a head of the prior's name, and the prior as it is given now.
    training
        Structures that the model was trained on; at most 32 of them are looked at. Their reference
        labels, if they have any, tell the main head's own error.
    structures
        Those to refine for, none of which may be among them.
    alike
        Whether the two heads must err alike where labels tell.
    workers, cache
        For labelling.

    Raises
    ------
    LabelError
        A structure to refine for is among those of training.
    """
    refuse_leak(training, structures)
    step = max(1, -(-len(training) // CHECKED))
    chosen = [atoms for atoms in training if len(atoms) > 1][::step]
    if not chosen:
        return None
    outcomes = label(without_labels(chosen), prior, workers=workers, cache=cache, progress=False)
    pairs = [
        (atoms, found)
        for atoms, found in zip(chosen, outcomes, strict=True)
        if isinstance(found, Labels)
    ]
    if not pairs:
        return f"the prior failed on all of {len(chosen)} training structures"
    bare = without_labels([atoms for atoms, _ in pairs])
    both = zip(potential.predict(bare), potential.predict(bare, prior.name), strict=True)
    known = [
        Known(main.forces, head.forces, labels.known_forces, _reference(atoms))
        for (main, head), (atoms, labels) in zip(both, pairs, strict=True)
    ]
    return _unlearned(potential, known) or (_apart(known) if alike else None)


def in_training(potential: Potential) -> float | None:
    """Root mean square residual of the prior's head in training, eV/Å; None if it is not told.

    For a joint training that of all heads together, over its last epoch.
    """
    if not isinstance(potential, TrainablePotential):
        return None
    told = potential.metadata
    if SCALE in told:
        return float(told[SCALE])
    history = told.get("history") or [{}]
    found = history[-1].get("force_rmse")
    return None if found is None else float(found)


def _unlearned(potential: Potential, known: Sequence[Known]) -> str | None:
    """Why this is not the prior that its head has learned.

    Where the main head's own error is large too, the structures are not what the model was trained
    on, and more is allowed of the prior's head.
    """
    residual = _rms(one.head - one.prior for one in known)
    size = _rms(one.prior for one in known)
    told = f"on {len(known)} training structures its head is off by {residual:.3f} eV/Å"
    if size == 0.0 or 1.0 - (residual / size) ** 2 < LEAST_LEARNED:
        return (
            f"{told}, where the prior's forces are {size:.3f} eV/Å (root mean square): this prior "
            "carries nothing that the head has learned"
        )
    before = in_training(potential)
    own = _rms(one.main - one.reference for one in known if one.reference is not None)
    if before is not None and residual > DRIFT * max(before, own):
        return (
            f"{told}, and was by {before:.3f} eV/Å when it was trained: this is not the prior that "
            "it has learned (another charge, version or parametrisation?)"
        )
    return None


def _apart(known: Sequence[Known]) -> str | None:
    """Why the prior head's error tells nothing of the main head's."""
    told = [(one, one.reference) for one in known if one.reference is not None]
    if not told:
        return None
    main = np.concatenate([(one.main - reference).ravel() for one, reference in told])
    head = np.concatenate([(one.head - one.prior).ravel() for one, _ in told])
    size = float(np.linalg.norm(main) * np.linalg.norm(head))
    alike = float(main @ head) / size if size > 0.0 else 1.0  # no error: nothing speaks against it
    if alike >= LEAST_ALIKE:
        return None
    return (
        f"on {len(told)} training structures with reference labels the errors of the two heads "
        f"have a correlation of {alike:.2f}, below {LEAST_ALIKE:g}: what the prior's head errs by "
        "tells nothing of the main head's error"
    )


def _reference(atoms: Atoms) -> Floats | None:
    found = labels_of(atoms)
    return None if found is None else found.forces


def _rms(values: Iterable[Floats]) -> float:
    """Root mean square of all components; 0 of nothing."""
    each = list(values)
    return float(np.sqrt(np.mean(np.concatenate(each) ** 2))) if each else 0.0
