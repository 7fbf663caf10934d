"""Is the prior to be learned from: found out without a reference label of a test structure.

An adaptation follows the prior wherever it leads, and its own figures then look well even
where the prior is wrong. So the prior, as it is given now, is first compared with what its head
knows of it on training structures; and on each test structure with what the model itself says.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from ase import Atoms

from farfield.errors import LabelError
from farfield.potentials import Potential, TrainablePotential
from farfield.priors import LabelCache, Prior, label
from farfield.refinement.alike import some
from farfield.refinement.comparison import compare
from farfield.refinement.correction_rule import LEAST_LEARNED, UNEXPLAINED
from farfield.structures import Labels, describe, labels_of, without_labels
from farfield.training import Sample

LEAST_BELIEVED = 0.5  # of the structures: else the prior is believed on none
DRIFT = 3.0  # times the residual that the prior's head had in training
SCALE = "residual_rms_eV_per_A"  # where retrofit keeps it in a model's metadata


def require_level(potential: Potential, prior: Prior) -> None:
    """Raise unless ``prior`` is of the level of theory that its head has learned.

    Models that do not tell what their heads have learned are not refused.
    """
    if not isinstance(potential, TrainablePotential):
        return
    known = potential.metadata.get("levels_of_theory", {}).get(prior.name, prior.level_of_theory)
    if known != prior.level_of_theory:
        raise LabelError(
            f"the head {prior.name!r} of {potential.name} has learned {known!r}, and the prior "
            f"that was given is {prior.level_of_theory!r}: two levels of theory never share a head"
        )


def unseen_electrons(structures: Sequence[Atoms], training: Sequence[Atoms]) -> str | None:
    """Why charges and spins forbid an adaptation; None if they do not, or nothing is known.

    The models see neither. A charge that no training structure has is either wrong, and the
    prior then computes another system, or beyond what the model can tell apart.
    """
    known = {_electrons(atoms) for atoms in training}
    strange = [atoms for atoms in structures if known and _electrons(atoms) not in known]
    if not strange:
        return None
    charge, excess = _electrons(strange[0])
    spin = f" and {excess:g} unpaired electrons more than need be" if excess else ""
    return (
        f"{len(strange)} of {len(structures)} structures have a charge or spin that no training "
        f"structure has (the first is {describe(strange[0])} with charge {charge:+g}{spin}), "
        "which the model does not see: correct it, leave these structures out, or force it"
    )


def distrusted(
    potential: Potential,
    prior: Prior,
    training: Sequence[Atoms],
    *,
    workers: int = 1,
    cache: LabelCache | None = None,
) -> str | None:
    """Why this is not the prior that its head has learned; None if it is, or nothing is known.

    Parameters
    ----------
    potential, prior
        A model with a head of the prior's name, and the prior as it is given now.
    training
        Structures that the head was trained on; at most 32 of them are labelled. By their
        reference labels, if they have any, the main head's own error is known: where that is large
        too, they are not what the model was trained on, and more is allowed of the prior's head.
    workers, cache
        For labelling.
    """
    taken = some(training)
    chosen = without_labels(taken)
    if not chosen:
        return None
    outcomes = label(chosen, prior, workers=workers, cache=cache, progress=False)
    known = [labels for labels in outcomes if isinstance(labels, Labels)]
    if not known:
        return f"the prior failed on all of {len(chosen)} training structures"
    done = [a for a, found in zip(chosen, outcomes, strict=True) if isinstance(found, Labels)]
    heads = potential.predict(done, prior.name)
    pairs = list(zip(heads, known, strict=True))
    residual = _rms([head.forces - labels.known_forces for head, labels in pairs])
    size = _rms([labels.known_forces for labels in known])
    told = f"on {len(known)} training structures its head is off by {residual:.3f} eV/Å"
    if size == 0.0 or 1.0 - (residual / size) ** 2 < LEAST_LEARNED:
        return (
            f"{told}, where the prior's forces are {size:.3f} eV/Å (root mean square): this prior "
            "carries nothing that the head has learned"
        )
    before = in_training(potential)
    if before is not None and residual > DRIFT * max(before, _own_error(potential, taken)):
        return (
            f"{told}, and was by {before:.3f} eV/Å when it was trained: this is not the prior that "
            "it has learned (another charge, version or parametrisation?)"
        )
    return None


def _own_error(potential: Potential, structures: Sequence[Atoms]) -> float:
    """Root mean square error of the main head, eV/Å; 0 where there are no labels."""
    labels = [labels_of(atoms) for atoms in structures]
    told = [
        (atoms, found.forces)
        for atoms, found in zip(structures, labels, strict=True)
        if found is not None and found.forces is not None
    ]
    if not told:
        return 0.0
    main = potential.predict(without_labels([atoms for atoms, _ in told]))
    return _rms([own.forces - known for own, (_, known) in zip(main, told, strict=True)])


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


def believed(
    potential: Potential, prior: Prior, samples: Sequence[Sample]
) -> tuple[list[Sample], str | None]:
    """Those of some test structures where the prior's labels are believed, and what is told.

    They are not, as in prior correction, where most of the prior's forces have no counterpart
    in the model's (:class:`~farfield.refinement.comparison.Comparison`). Where that is so for
    more than half of the structures none is left.
    """
    structures = [sample.atoms for sample in samples]
    main, heads = potential.predict(structures), potential.predict(structures, prior.name)
    found = [
        compare(own, other, sample.labels).unexplained
        for own, other, sample in zip(main, heads, samples, strict=True)
    ]
    kept = [one for one, ratio in zip(samples, found, strict=True) if ratio <= UNEXPLAINED]
    strange = [ratio for ratio in found if ratio > UNEXPLAINED]
    if not strange:
        return kept, None
    told = (
        f"the prior is not trusted on {len(strange)} of {len(found)} structures: the part of its "
        f"forces that the model has no counterpart to is {min(strange):.1f} to {max(strange):.1f} "
        f"times the model's forces, above {UNEXPLAINED:g}"
    )
    if len(kept) < LEAST_BELIEVED * len(found):
        return [], f"{told}; that is most of them, so it is not learned from at all"
    return kept, f"{told}; they were left out"


def _electrons(atoms: Atoms) -> tuple[float, int]:
    """Charge, and unpaired electrons beyond the fewest that their number allows."""
    charge = float(atoms.info.get("charge", 0.0))
    fewest = 1 + round(atoms.numbers.sum() - charge) % 2
    return charge, max(0, int(atoms.info.get("spin") or fewest) - fewest)


def _rms(values: Sequence[np.ndarray]) -> float:
    return float(np.sqrt(np.mean(np.concatenate(values) ** 2)))
