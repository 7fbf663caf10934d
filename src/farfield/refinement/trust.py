"""Is the prior to be believed on the structures at hand: found out without a reference label.

An adaptation follows the prior wherever it leads, and its own figures then look well even where
the prior is wrong. What training structures tell of it is found in
:mod:`farfield.refinement.checked`.
"""

from __future__ import annotations

from collections.abc import Sequence

from ase import Atoms

from farfield.errors import LabelError
from farfield.potentials import Potential, TrainablePotential
from farfield.priors import Prior
from farfield.refinement.comparison import compare
from farfield.refinement.correction.rule import UNEXPLAINED
from farfield.structures import describe
from farfield.training import Sample

LEAST_BELIEVED = 0.5  # of the structures: else the prior is believed on none


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
