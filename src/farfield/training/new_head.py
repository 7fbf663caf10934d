"""A head for a prior on a trained model: its size and its energies, before its first step."""

from __future__ import annotations

from collections.abc import Sequence

from ase import Atoms

from farfield.errors import LabelError
from farfield.potentials import TrainablePotential
from farfield.structures import Labels
from farfield.training.statistics import force_scale, isolated_atoms, isolated_energies


def with_prior_head(
    potential: TrainablePotential,
    name: str,
    structures: Sequence[Atoms],
    labels: Sequence[Labels],
    *,
    scaled: bool = True,
) -> TrainablePotential:
    """Return a copy of ``potential`` with a head that starts as near to ``labels`` as it can.

    Its forces are the main head's, scaled to the root mean square of the labels'. Its
    isolated-atom energies are those of the single atoms among the structures, moved by what
    then, by least squares, remains of the other structures' energies.

    Parameters
    ----------
    potential
        A trained model without a head ``name``.
    name
        The new head.
    structures, labels
        What the head is to learn. It will know the elements of these structures, single atoms
        among them, and no others.
    scaled
        False lets its forces start as the main head's, whatever the size of the labels'.

    Raises
    ------
    LabelError
        The labels' forces, or the model's, are all zero.
    """
    alone = isolated_atoms(structures)
    free = {
        int(atoms.numbers[0]): label.energy
        for atoms, label, single in zip(structures, labels, alone, strict=True)
        if single and label.energy is not None
    }
    bonded = [atoms for atoms, single in zip(structures, alone, strict=True) if not single]
    wanted = [label for label, single in zip(labels, alone, strict=True) if not single]
    scale = 1.0
    if scaled:
        scale = _ratio(force_scale(wanted), force_scale(own_labels(potential, bonded)))
    species = {int(number) for atoms in structures for number in atoms.numbers}
    energies = {number: free.get(number, 0.0) for number in sorted(species)}
    start = own_labels(potential.with_head(name, energies, scale), bonded, name)
    rest = [_minus(label, found) for label, found in zip(wanted, start, strict=True)]
    for number, energy in isolated_energies(bonded, rest).items():
        energies[number] += energy
    return potential.with_head(name, energies, scale)


def own_labels(
    potential: TrainablePotential, structures: Sequence[Atoms], head: str | None = None
) -> list[Labels]:
    """What ``potential`` itself says of ``structures``, as labels; no structure's are read."""
    level = f"predictions of {potential.name}"
    return [
        Labels(prediction.energy, prediction.forces, None, level)
        for prediction in potential.predict(structures, head)
    ]


def _ratio(wanted: float, own: float) -> float:
    if wanted == 0.0 or own == 0.0:
        raise LabelError(
            f"all forces of the {'prior' if wanted == 0.0 else 'model'} are zero: there is "
            "nothing to learn; give structures that are not at rest, or another prior"
        )
    return wanted / own


def _minus(label: Labels, found: Labels) -> Labels:
    """What is left of an energy, as a label."""
    if label.energy is None or found.energy is None:
        raise LabelError("retrofit needs the prior's energy (eV) of every structure")
    return Labels(label.energy - found.energy, None)
