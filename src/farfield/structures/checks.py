"""What every structure must fulfil before anything is computed from it."""

from __future__ import annotations

from typing import Never

import numpy as np
from ase import Atoms
from ase.data import chemical_symbols

from farfield.errors import StructureError
from farfield.structures.labels import describe

CLOSEST = 0.25  # Å; no bond is shorter, but a bond length in nm is
_SEARCH = 1.0  # Å; vesin is 15 times slower with cells as small as CLOSEST


def check(atoms: Atoms) -> None:
    """Raise if ``atoms`` cannot be computed on.

    Raises
    ------
    StructureError
        No atoms; positions or cell not finite; an unknown element; periodic without a
        cell; two atoms closer than 0.25 Å (positions in nm, or an atom listed twice).
    """
    if len(atoms) == 0:
        _refuse(atoms, "remove it from the file")
    if not np.isfinite(atoms.positions).all():
        index = int(np.flatnonzero(~np.isfinite(atoms.positions).all(axis=1))[0])
        _refuse(atoms, f"the position of atom {index} is not a finite number")
    if not np.isfinite(np.asarray(atoms.cell)).all():
        _refuse(atoms, "the cell is not finite")
    unknown = (atoms.numbers < 1) | (atoms.numbers >= len(chemical_symbols))
    if unknown.any():
        index = int(np.flatnonzero(unknown)[0])
        _refuse(
            atoms,
            f"atom {index} has the unknown element {atoms.numbers[index]} "
            "(0, or 'X', stands for none): give a real element",
        )
    _check_cell(atoms)
    _check_distances(atoms)


def _refuse(atoms: Atoms, reason: str) -> Never:
    raise StructureError(f"{describe(atoms)}: {reason}")


def _check_cell(atoms: Atoms) -> None:
    periodic = np.flatnonzero(atoms.pbc)
    for axis in periodic:
        if atoms.cell.lengths()[axis] == 0.0:
            _refuse(
                atoms,
                f"periodic along axis {axis} but that cell vector is zero: "
                "set the cell (Å), or pbc to False",
            )
    if len(periodic) and np.linalg.matrix_rank(np.asarray(atoms.cell)[periodic]) < len(periodic):
        _refuse(atoms, "periodic, but its cell vectors span no volume: set the cell (Å)")


def _check_distances(atoms: Atoms) -> None:
    from vesin import NeighborList  # it imports torch, which takes seconds

    first, second, distance = NeighborList(cutoff=_SEARCH, full_list=False).compute(
        points=atoms.positions,
        box=np.asarray(atoms.cell),
        periodic=np.asarray(atoms.pbc),
        quantities="ijd",
    )
    close = np.flatnonzero(distance < CLOSEST)
    if len(close):
        i, j, apart = int(first[close[0]]), int(second[close[0]]), distance[close[0]]
        pair = f"atoms {i} and {j} are" if i != j else f"atom {i} and its own image are"
        _refuse(
            atoms,
            f"{pair} {apart:.3f} Å apart: positions and cell must be in Å (not nm or "
            "fractions), and no atom may be listed twice",
        )
