"""What every structure must fulfil before anything is computed from it."""

from __future__ import annotations

import numpy as np
from ase import Atoms
from ase.data import chemical_symbols
from vesin import NeighborList

from farfield.errors import StructureError
from farfield.structures.labels import describe

CLOSEST = 0.25  # Å; no bond is shorter, but a bond length in nm is


def check(atoms: Atoms) -> None:
    """Raise if ``atoms`` cannot be computed on.

    Raises
    ------
    StructureError
        No atoms; positions or cell not finite; an unknown element; periodic without a
        cell; two atoms closer than 0.25 Å (positions in nm, or an atom listed twice).
    """
    where = describe(atoms)
    if len(atoms) == 0:
        raise StructureError(f"{where}: remove it from the file")
    if not np.isfinite(atoms.positions).all():
        index = int(np.flatnonzero(~np.isfinite(atoms.positions).all(axis=1))[0])
        raise StructureError(f"{where}: the position of atom {index} is not a finite number")
    if not np.isfinite(np.asarray(atoms.cell)).all():
        raise StructureError(f"{where}: the cell is not finite")
    unknown = (atoms.numbers < 1) | (atoms.numbers >= len(chemical_symbols))
    if unknown.any():
        index = int(np.flatnonzero(unknown)[0])
        raise StructureError(
            f"{where}: atom {index} has the unknown element "
            f"{atoms.numbers[index]} ('X' stands for none): give a real element"
        )
    _check_cell(atoms, where)
    _check_distances(atoms, where)


def _check_cell(atoms: Atoms, where: str) -> None:
    lengths = atoms.cell.lengths()
    flat = [axis for axis in range(3) if atoms.pbc[axis] and lengths[axis] == 0.0]
    if flat:
        raise StructureError(
            f"{where}: periodic along axis {flat[0]} but that cell vector is zero: "
            "set the cell (Å), or pbc to False"
        )
    if atoms.pbc.all() and abs(atoms.cell.volume) < 1e-6:
        raise StructureError(f"{where}: periodic, but the cell has no volume: set the cell (Å)")


def _check_distances(atoms: Atoms, where: str) -> None:
    close = NeighborList(cutoff=CLOSEST, full_list=False)
    first, second, distance = close.compute(
        points=atoms.positions,
        box=np.asarray(atoms.cell),
        periodic=np.asarray(atoms.pbc),
        quantities="ijd",
    )
    if len(first):
        raise StructureError(
            f"{where}: atoms {int(first[0])} and {int(second[0])} are {distance[0]:.3f} Å apart: "
            "positions must be in Å (not nm), and no atom may be listed twice"
        )
