"""What a new model must know of its training set before its first step."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from ase import Atoms
from ase.data import chemical_symbols

from farfield.errors import LabelError
from farfield.structures import Labels


def isolated_atoms(structures: Sequence[Atoms]) -> list[bool]:
    """Which structures are single atoms without a cell: they give energies, not samples."""
    return [len(atoms) == 1 and not atoms.pbc.any() for atoms in structures]


def isolated_energies(structures: Sequence[Atoms], labels: Sequence[Labels]) -> dict[int, float]:
    """Energy of an isolated atom of each element, eV, by atomic number.

    Taken from the single atoms among the structures. Elements without one get the
    least-squares solution of the other structures' total energies.

    Raises
    ------
    LabelError
        A structure has no energy.
    """
    found: dict[int, float] = {}
    rows, rest = [], []
    species = sorted({int(number) for atoms in structures for number in atoms.numbers})
    for atoms, label in zip(structures, labels, strict=True):
        if label.energy is None:
            raise LabelError("training needs the energy (eV) of every structure")
        if len(atoms) == 1 and not atoms.pbc.any():
            found[int(atoms.numbers[0])] = label.energy
        else:
            rows.append([np.count_nonzero(atoms.numbers == number) for number in species])
            rest.append(label.energy)
    unknown = [number for number in species if number not in found]
    if unknown:
        counts, energies = np.array(rows, dtype=float), np.array(rest)
        for number, energy in found.items():
            energies = energies - counts[:, species.index(number)] * energy
        columns = counts[:, [species.index(number) for number in unknown]]
        solution = np.linalg.lstsq(columns, energies, rcond=None)[0]
        found |= dict(zip(unknown, solution.tolist(), strict=True))
    return dict(sorted(found.items()))


def same_elements(energies: dict[str, dict[int, float]]) -> None:
    """Raise unless every head has the same elements."""
    known = [set(values) for values in energies.values()]
    for head, values in energies.items():
        missing = set.union(*known) - set(values)
        if missing:
            words = ", ".join(chemical_symbols[number] for number in sorted(missing))
            raise LabelError(f"head {head!r} has no energy of an isolated atom of {words}")


def force_scale(labels: Sequence[Labels]) -> float:
    """Root mean square of all force components, eV/Å."""
    forces = np.concatenate([np.ravel(label.known_forces) for label in labels])
    return float(np.sqrt(np.mean(forces**2)))
