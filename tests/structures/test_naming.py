"""Which labels of a file become the reference labels."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from ase import Atoms
from ase.build import molecule
from ase.calculators.emt import EMT

from farfield.errors import StructureError
from farfield.structures import Labels, labels_of, name_reference, read

ROWS = ["O 0.0 0.0 0.1", "H 0.0 0.8 -0.5", "H 0.0 -0.8 -0.5"]
FORCES = np.array([[0.0, 0.0, 0.5], [0.0, 0.1, -0.25], [0.0, -0.1, -0.25]])


def water(tmp_path: Path, comment: str, columns: int = 0) -> Atoms:
    """Read one molecule with this comment line and ``columns`` sets of forces."""
    path = tmp_path / "water.extxyz"
    rows = [
        " ".join([row, *(str(value + extra) for extra in range(columns) for value in force)])
        for row, force in zip(ROWS, FORCES, strict=True)
    ]
    path.write_text("\n".join(["3", comment, *rows, ""]))
    return read(path)[0]


def found(atoms: Atoms) -> Labels:
    labels = labels_of(atoms)
    assert labels is not None
    return labels


@pytest.mark.parametrize(
    ("energy", "forces"),
    [
        ("REF_energy", "REF_forces"),
        ("energy", "forces"),
        ("Energy", "Forces"),
        ("TotEnergy", "force"),
        ("dft_energy", "dft_forces"),
        ("DFT_energy", "DFT_force"),
        ("ref_energy", "ref_forces"),
        ("total_energy", "forces"),
    ],
)
def test_spellings(tmp_path: Path, energy: str, forces: str) -> None:
    comment = f"Properties=species:S:1:pos:R:3:{forces}:R:3 {energy}=-5 level_of_theory=PBE"
    atoms = water(tmp_path, comment, columns=1)
    labels = found(atoms)
    assert labels.energy == -5.0
    assert labels.level_of_theory == "PBE"
    np.testing.assert_array_equal(labels.forces, FORCES)
    assert atoms.calc is None
    others = {key for key in (energy, forces) if not key.startswith("REF_")}
    assert not others & (atoms.info.keys() | atoms.arrays.keys())


def test_the_reference_is_never_completed_from_other_labels(tmp_path: Path) -> None:
    labels = found(water(tmp_path, "Properties=species:S:1:pos:R:3:forces:R:3 REF_energy=-5", 1))
    assert labels.energy == -5.0
    assert labels.forces is None


def test_reference_beats_other_spellings(tmp_path: Path) -> None:
    comment = (
        "Properties=species:S:1:pos:R:3:REF_forces:R:3:forces:R:3 "
        "REF_energy=-5 energy=-7 REF_level_of_theory=A theory=B"
    )
    labels = found(water(tmp_path, comment, columns=2))
    assert (labels.energy, labels.level_of_theory) == (-5.0, "A")
    np.testing.assert_array_equal(labels.forces, FORCES)


def test_two_spellings_must_agree(tmp_path: Path) -> None:
    assert found(water(tmp_path, "energy=-5.0 dft_energy=-5.0")).energy == -5.0
    with pytest.raises(StructureError, match=r"'energy' and 'dft_energy', which differ"):
        water(tmp_path, "energy=-5.0 dft_energy=-7.0")
    columns = "Properties=species:S:1:pos:R:3:forces:R:3:force:R:3"
    with pytest.raises(StructureError, match=r"'forces' and 'force', which differ"):
        water(tmp_path, columns, columns=2)


def test_free_energy_only_without_another(tmp_path: Path) -> None:
    assert found(water(tmp_path, "energy=-5.0 free_energy=-5.1")).energy == -5.0
    assert found(water(tmp_path, "free_energy=-5.1")).energy == -5.1


def test_labels_of_priors_stay_where_they_are(tmp_path: Path) -> None:
    atoms = water(tmp_path, "farfield_gfn2_energy=-3.0 energy=-5.0")
    assert found(atoms).energy == -5.0
    prior = labels_of(atoms, "farfield_gfn2")
    assert prior is not None
    assert prior.energy == -3.0


def test_a_single_atom_feels_no_force(tmp_path: Path) -> None:
    path = tmp_path / "atom.xyz"
    for cell, forces in (("", np.zeros((1, 3))), ('Lattice="9 0 0 0 9 0 0 0 9" ', None)):
        path.write_text(f"1\n{cell}energy=-13.5\nH 0.0 0.0 0.0\n")
        labels = found(read(path)[0])
        assert labels.energy == -13.5
        np.testing.assert_array_equal(labels.forces, forces)


def test_results_of_another_geometry_are_not_taken() -> None:
    atoms = molecule("H2O")
    atoms.calc = EMT()
    name_reference(atoms)
    assert labels_of(atoms) is None  # nothing was computed, and nothing is
    atoms.calc = EMT()
    energy = atoms.get_potential_energy()
    moved = atoms.copy()
    moved.calc = atoms.calc
    moved.rattle(0.1, seed=1)
    name_reference(moved)
    assert labels_of(moved) is None
    name_reference(atoms)
    assert found(atoms).energy == energy


def test_no_labels(tmp_path: Path) -> None:
    assert labels_of(water(tmp_path, "a plain comment of Bob's")) is None


@pytest.mark.parametrize("stress", ["1 2 3 4 5 6", "1 6 5 6 2 4 5 4 3"])
def test_stress_becomes_six_numbers(tmp_path: Path, stress: str) -> None:
    for key in ("REF_stress", "dft_stress"):
        labels = found(
            water(tmp_path, f'REF_energy=1 {key}="{stress}"'.replace("REF_energy=1 d", "d"))
        )
        np.testing.assert_array_equal(labels.stress, [1, 2, 3, 4, 5, 6])


def test_not_finite_labels_are_read_and_refused_where_needed(tmp_path: Path) -> None:
    assert np.isnan(found(water(tmp_path, "energy=nan")).energy)


@pytest.mark.parametrize(
    ("comment", "columns", "match"),
    [
        ("REF_energy", 0, "energy is not a number"),
        ("energy=unknown", 0, "energy is not a number"),
        ('energy="1 2"', 0, "energy is 2 numbers"),
        ('REF_energy=1 REF_stress="1 2"', 0, "stress has the shape"),
        ("Properties=species:S:1:pos:R:3:force:S:3", 1, "force label is not a number"),
        ("Properties=species:S:1:pos:R:3:REF_forces:R:2", 1, r"forces have the shape \(3, 2\)"),
    ],
)
def test_impossible_labels(tmp_path: Path, comment: str, columns: int, match: str) -> None:
    with pytest.raises(StructureError, match=match):
        water(tmp_path, comment, columns)


@pytest.mark.parametrize(
    "declared",
    ["energy_unit=eV", "forces_unit=eV/A", "units=angstrom", 'unit="eV, eV/Ang"', "Units=EV"],
)
def test_own_units_may_be_declared(tmp_path: Path, declared: str) -> None:
    assert found(water(tmp_path, f"{declared} energy=-5")).energy == -5.0


@pytest.mark.parametrize(
    "declared",
    ["energy_unit=Hartree", 'units="kcal/mol"', "forces_unit=eV/Bohr", "length_unit=nm"],
)
def test_foreign_units_are_refused(tmp_path: Path, declared: str) -> None:
    with pytest.raises(StructureError, match="convert it to eV and Å"):
        water(tmp_path, f"{declared} energy=-5")
