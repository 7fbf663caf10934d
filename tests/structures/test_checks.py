"""Every check fires where it must and stays silent where it must not."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk, fcc111, molecule

from farfield.errors import StructureError
from farfield.structures import check, describe, read


def moved(index: int, value: float) -> Atoms:
    atoms = molecule("H2O")
    atoms.positions[index, 1] = value
    return atoms


def cell_not_finite() -> Atoms:
    atoms = bulk("Si")
    cell = np.array(atoms.cell)
    cell[0, 0] = np.inf
    atoms.cell = cell
    return atoms


@pytest.mark.parametrize(
    ("atoms", "match"),
    [
        (Atoms(), "without atoms"),
        (moved(2, np.nan), "position of atom 2 is not a finite"),
        (moved(1, -np.inf), "position of atom 1 is not a finite"),
        (cell_not_finite(), "cell is not finite"),
        (Atoms("HX", [(0, 0, 0), (0, 0, 1)]), "atom 1 has the unknown element 0"),
        (Atoms(numbers=[1, 200], positions=[(0, 0, 0), (0, 0, 1)]), "unknown element 200"),
        (Atoms(numbers=[-3], positions=[(0, 0, 0)]), "unknown element -3"),
        (Atoms("H", pbc=True), "periodic along axis 0"),
        (Atoms("H", cell=[5, 5, 0], pbc=(True, True, True)), "periodic along axis 2"),
        (Atoms("H", cell=[[5, 0, 0], [5, 0, 0], [0, 0, 5]], pbc=True), "span no volume"),
        (Atoms("H", cell=[[5, 0, 0], [5, 0, 0], [0, 0, 5]], pbc=(1, 1, 0)), "span no volume"),
        (Atoms("H2", [(0, 0, 0), (0, 0, 0)]), "atoms 0 and 1 are 0.000 Å apart"),
        (Atoms("H2", [(0, 0, 0), (0, 0, 5)], cell=[5, 5, 5], pbc=True), "0 and 1 are 0.000 Å"),
        (Atoms("H", cell=[0.2, 5, 5], pbc=True), "atom 0 and its own image are 0.200 Å"),
        (Atoms("H2", [(0, 0, 0), (0, 0, 0.074)]), "not nm"),
    ],
)
def test_refused(atoms: Atoms, match: str) -> None:
    with pytest.raises(StructureError, match=match):
        check(atoms)


@pytest.mark.parametrize(
    "atoms",
    [
        molecule("H2O"),
        Atoms("H"),
        Atoms("H2", [(0, 0, 0), (0, 0, 0.3)]),
        Atoms("H2", [(0, 0, 0), (0, 0, 5)], cell=[5, 5, 5], pbc=False),
        Atoms("H", cell=[5, 5, 0], pbc=(True, True, False)),
        fcc111("Al", size=(1, 1, 2)),
        bulk("Si"),
        bulk("Og", "fcc", a=5.0),
        Atoms("CO", [(-900, 1, 1), (900, 1, 1)]),
        Atoms("H", cell=[[5, 0, 0], [0, 5, 0], [0, 0, -5]], pbc=True),  # left-handed
    ],
    ids=lambda atoms: atoms.get_chemical_formula(),
)
def test_accepted(atoms: Atoms) -> None:
    before = atoms.copy()
    check(atoms)
    assert atoms == before


def test_reading_checks_and_says_where(tmp_path: Path) -> None:
    path = tmp_path / "set.xyz"
    good = "1\nok\nH 0.0 0.0 0.0\n"
    for bad, match in (("H nan 0.0 0.0", "finite"), ("X 0.0 0.0 0.0", "unknown element")):
        path.write_text(f"{good}{good}1\nbad\n{bad}\n")
        with pytest.raises(StructureError, match=rf"set\.xyz, structure 2 \(\w+\): .*{match}"):
            read(path)


def test_describe() -> None:
    atoms = molecule("H2O")
    assert describe(atoms) == "structure H2O"
    atoms.info["farfield_file"] = "a.xyz"
    assert describe(atoms) == "a.xyz, structure ? (H2O)"
    atoms.info["farfield_index"] = 4
    assert describe(atoms) == "a.xyz, structure 4 (H2O)"
