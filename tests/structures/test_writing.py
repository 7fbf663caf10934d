"""What is written comes back: positions, labels and their names."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
import pytest
from ase import Atoms
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from farfield.errors import StructureError
from farfield.structures import Labels, attach, labels_of, read, write

EIGHT_DECIMALS = 0.5e-8  # extended XYZ as ASE writes it
NAMES = ("REF", "farfield_gfn2", "farfield_emt")
finite = st.floats(-1e6, 1e6, allow_nan=False)
words = st.text(st.characters(codec="utf-8", categories=("L", "N")), min_size=1, max_size=8)


@st.composite
def labelled_structures(draw: st.DrawFn) -> Atoms:
    n_atoms = draw(st.integers(2, 5))
    jitter = draw(arrays(float, (n_atoms, 3), elements=st.floats(-0.5, 0.5)))
    positions = np.arange(n_atoms)[:, None] * np.array([2.0, 0.0, 0.0]) + jitter
    numbers = draw(st.lists(st.integers(1, 118), min_size=n_atoms, max_size=n_atoms))
    edges = draw(st.lists(st.floats(15.0, 40.0), min_size=3, max_size=3))
    pbc = draw(st.tuples(st.booleans(), st.booleans(), st.booleans()))
    atoms = Atoms(numbers, positions, cell=edges, pbc=pbc)
    for name in draw(st.lists(st.sampled_from(NAMES), unique=True)):
        forces = draw(st.none() | arrays(float, (n_atoms, 3), elements=finite))
        stress = draw(st.none() | arrays(float, (6,), elements=finite))
        energy = draw(finite)
        level = " ".join(["PBE", *draw(st.lists(words, max_size=3))])  # no number alone
        attach(atoms, Labels(energy, forces, stress, level), name)
    atoms.info["charge"] = draw(st.integers(-3, 3))
    return atoms


@settings(max_examples=50)
@given(st.lists(labelled_structures(), min_size=1, max_size=3), st.sampled_from(["", ".gz"]))
def test_round_trip(structures: list[Atoms], ending: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"set.extxyz{ending}"
        write(path, structures)
        again = read(path)
    assert len(again) == len(structures)
    for before, after in zip(structures, again, strict=True):
        np.testing.assert_array_equal(after.numbers, before.numbers)
        np.testing.assert_array_equal(after.pbc, before.pbc)
        np.testing.assert_array_equal(after.cell, before.cell)
        np.testing.assert_allclose(after.positions, before.positions, rtol=0, atol=EIGHT_DECIMALS)
        assert after.info["charge"] == before.info["charge"]
        for name in NAMES:
            same_labels(labels_of(before, name), labels_of(after, name))


def same_labels(before: Labels | None, after: Labels | None) -> None:
    if before is None or after is None:
        assert before is after
        return
    assert after.energy == before.energy
    assert after.level_of_theory == before.level_of_theory
    assert (after.forces is None, after.stress is None) == (
        before.forces is None,
        before.stress is None,
    )
    if before.forces is not None:
        np.testing.assert_allclose(after.forces, before.forces, rtol=1e-12, atol=EIGHT_DECIMALS)
    if before.stress is not None:
        np.testing.assert_array_equal(after.stress, before.stress)


def test_keys_of_farfield_and_of_the_user_are_kept(tmp_path: Path, labelled: list[Atoms]) -> None:
    for atoms in labelled:
        atoms.info.update(molecule='2,3-dimethyl "x" (a=b)', temperature_K=300.0)
        atoms.set_array("farfield_score", np.linspace(0.0, 1.0, len(atoms)))
    write(tmp_path / "set.xyz", labelled)
    for before, after in zip(labelled, read(tmp_path / "set.xyz"), strict=True):
        assert after.info["molecule"] == before.info["molecule"]
        assert after.info["temperature_K"] == 300.0
        np.testing.assert_allclose(
            after.arrays["farfield_score"], before.arrays["farfield_score"], atol=EIGHT_DECIMALS
        )


def test_line_breaks_in_texts_do_not_break_the_file(tmp_path: Path, labelled: list[Atoms]) -> None:
    labelled[0].info["note"] = "two\nlines"
    write(tmp_path / "set.xyz", labelled)
    again = read(tmp_path / "set.xyz")
    assert len(again) == len(labelled)
    assert again[0].info["note"] == "two lines"
    assert labelled[0].info["note"] == "two\nlines"  # the caller's own stays as it was


def test_written_whole_or_not_at_all(tmp_path: Path, labelled: list[Atoms]) -> None:
    path = tmp_path / "set.xyz"
    write(path, labelled)
    before = path.read_bytes()
    labelled[1].set_array("impossible", np.zeros((3, 1), dtype=complex))
    with pytest.raises(StructureError, match="cannot hold"):
        write(path, labelled)
    assert path.read_bytes() == before
    assert [entry.name for entry in tmp_path.iterdir()] == ["set.xyz"]


def test_nothing_to_write(tmp_path: Path) -> None:
    with pytest.raises(StructureError, match="no structure to write"):
        write(tmp_path / "set.xyz", [])
    assert not list(tmp_path.iterdir())


def test_same_structures_same_bytes(tmp_path: Path, labelled: list[Atoms]) -> None:
    write(tmp_path / "a.xyz.gz", labelled)
    write(tmp_path / "b.xyz.gz", labelled)
    assert (tmp_path / "a.xyz.gz").read_bytes() == (tmp_path / "b.xyz.gz").read_bytes()


def two_labelled() -> list[Atoms]:
    found = []
    for shift in (0.0, 0.1):
        atoms = Atoms("CO", [(0, 0, 0), (1.1 + shift, 0, 0)], cell=[9, 9, 9], pbc=True)
        attach(atoms, Labels(-3.0 - shift, np.full((2, 3), 0.5 + shift), None, "PBE"))
        found.append(atoms)
    return found


@pytest.mark.parametrize("name", ["set.traj", "set.json", "set.db"])
def test_other_formats_keep_the_reference(name: str, tmp_path: Path) -> None:
    write(tmp_path / name, two_labelled())
    again = read(tmp_path / name)
    assert len(again) == 2
    for before, after in zip(two_labelled(), again, strict=True):
        np.testing.assert_allclose(after.positions, before.positions, rtol=0, atol=1e-8)
        labels = labels_of(after)
        assert labels is not None and labels.energy == pytest.approx(-3.0, abs=0.11)
        np.testing.assert_allclose(labels.known_forces, before.arrays["REF_forces"])
    assert [path.name for path in tmp_path.iterdir()] == [name]


@pytest.mark.parametrize("name", ["POSCAR", "one.cif"])
def test_formats_without_labels_keep_the_geometry(name: str, tmp_path: Path) -> None:
    write(tmp_path / name, two_labelled()[:1])
    after = read(tmp_path / name)[0]
    assert after.get_chemical_formula() == "CO" and after.pbc.all()


def test_what_a_format_cannot_hold_is_told_and_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(StructureError, match="cannot hold these structures"):
        write(tmp_path / "POSCAR", two_labelled())
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["plain", "set.xyz", "set.extxyz", "set.xyz.gz", "set.unknown"])
def test_all_other_names_are_extended_xyz(name: str, tmp_path: Path) -> None:
    from farfield.structures.writing import _format

    assert _format(tmp_path / name) == "extxyz"
