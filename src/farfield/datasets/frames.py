"""One labelled structure from the arrays of a file, in eV and Å."""

from __future__ import annotations

from typing import Any

import numpy as np
from ase import Atoms

from farfield.datasets.contract import Source
from farfield.errors import DatasetError
from farfield.structures import Labels, attach


def labelled(
    source: Source,
    numbers: Any,
    positions: Any,
    energy: Any,
    forces: Any,
    *,
    where: str,
    stress: Any = None,
    cell: Any = None,
    pbc: Any = False,
    info: dict[str, Any] | None = None,
) -> Atoms:
    """Return a structure with reference labels; it is not checked yet.

    Parameters
    ----------
    source
        Gives the units of the values and the level of theory.
    numbers, positions
        Atomic numbers (N,) and positions (N, 3), in the file's unit of length.
    energy, forces
        Energy and forces (N, 3) in the file's units; None when the file has none.
    where
        What to call the structure in an error.
    stress
        Stress (6,) in eV/Å³ with ASE's sign, or None.
    cell, pbc
        Cell in Å, and periodicity.
    info
        Further entries for ``info``, such as ``charge``.

    Raises
    ------
    DatasetError
        Shapes do not agree, or a label is not a finite number.
    """
    units = source.dataset.units
    numbers = np.asarray(numbers, dtype=int)
    positions = np.asarray(positions, dtype=float) * units.to_angstrom
    n_atoms = len(numbers)
    if positions.shape != (n_atoms, 3):
        raise DatasetError(f"{where}: positions of shape {positions.shape} for {n_atoms} atoms")
    if energy is not None:
        energy = float(np.asarray(energy, dtype=float).reshape(())) * units.to_ev
    if forces is not None:
        forces = np.asarray(forces, dtype=float) * units.to_ev_per_angstrom
        if forces.shape != (n_atoms, 3):
            raise DatasetError(f"{where}: forces of shape {forces.shape} for {n_atoms} atoms")
    labels = Labels(energy, forces, stress, source.level_of_theory)
    require_finite(labels, where)
    atoms = Atoms(numbers=numbers, positions=positions, cell=cell, pbc=pbc)
    atoms.info.update(info or {})
    attach(atoms, labels)
    return atoms


def require_finite(labels: Labels, where: str) -> None:
    """Raise unless every label is a finite number."""
    for what, value in (
        ("energy", labels.energy),
        ("force", labels.forces),
        ("stress", labels.stress),
    ):
        if value is not None and not np.isfinite(value).all():
            raise DatasetError(f"{where}: its {what} label is not a finite number")
