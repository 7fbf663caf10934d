"""Every reader, on small files in the published layout: units, signs, levels, bad input."""

from __future__ import annotations

import lzma
import zipfile

import numpy as np
import pytest

from farfield.datasets import DATASETS, Units
from farfield.datasets.sources.spice import charge_of
from farfield.errors import DatasetError, FarfieldError, StructureError
from farfield.structures import read
from tests.datasets import made

CLOSE = {"rtol": 1e-6, "atol": 1e-6}


def compare(atoms, positions, energy, forces):
    found_energy, found_forces = made.labels(atoms)
    np.testing.assert_allclose(atoms.positions, positions, **CLOSE)
    np.testing.assert_allclose(found_energy, energy, **CLOSE)
    np.testing.assert_allclose(found_forces, forces, **CLOSE)


@pytest.mark.parametrize(("name", "subset"), [("md17", "aspirin"), ("md22", "DHA")])
def test_sgdml_archives_are_in_kcal_per_mol(name, subset, tmp_path):
    positions, energies, forces = made.write_sgdml(
        tmp_path / "a.npz", e_unit="kcal/mol", r_unit="Ang"
    )
    structures = list(made.stream(name, subset, tmp_path / "a.npz"))
    assert len(structures) == 5
    for index, atoms in enumerate(structures):
        compare(atoms, positions[index], energies[index] * made.KCAL, forces[index] * made.KCAL)
        assert atoms.info["REF_level_of_theory"] == DATASETS[name].level_of_theory
        assert (atoms.info["farfield_file"], atoms.info["farfield_index"]) == (
            f"{name}:{subset}",
            index,
        )


def test_rmd17_and_its_published_splits(tmp_path, monkeypatch):
    monkeypatch.setenv("FARFIELD_DATASETS", str(tmp_path))
    content = tmp_path / "rmd17" / "rmd17.tar.bz2.unpacked" / "rmd17"
    (content / "npz_data").mkdir(parents=True)
    (content / "splits").mkdir()
    positions, energies, forces = made.write_revised(content / "npz_data" / "rmd17_uracil.npz", 8)
    (content / "splits" / "index_train_02.csv").write_text("5\n1\n6\n")
    structures = read("rmd17:uracil/train_02")
    assert [atoms.info["farfield_index"] for atoms in structures] == [1, 5, 6]
    compare(structures[1], positions[5], energies[5] * made.KCAL, forces[5] * made.KCAL)
    (content / "splits" / "index_train_02.csv").write_text("5\n8\n")
    with pytest.raises(DatasetError, match=r"names the structure 8, and rmd17:uracil/.* has 8"):
        read("rmd17:uracil/train_02")


@pytest.mark.parametrize("units", [True, False])
def test_spice_is_in_hartree_and_bohr_with_gradients(units, tmp_path):
    positions, energies, gradients = made.write_spice(tmp_path / "s.hdf5", units=units)
    structures = list(made.stream("spice2", "PubChem", tmp_path / "s.hdf5"))
    assert len(structures) == 3
    factor = made.HARTREE / made.BOHR
    compare(structures[2], positions[2], energies[2] * made.HARTREE, -gradients[2] * factor)
    assert structures[0].info["charge"] == 0
    ions = list(made.stream("spice1", "ion pairs", tmp_path / "s.hdf5"))
    assert len(ions) == 3 and ions[0].info["charge"] == 1
    assert len(list(made.stream("spice1", "all", tmp_path / "s.hdf5"))) == 6
    with pytest.raises(DatasetError, match="no molecule's subset has 'pubchem se'"):
        list(made.stream("spice2", "PubChem Se", tmp_path / "s.hdf5"))
    with pytest.raises(DatasetError, match="no molecule's subset has 'dipeptides'"):
        list(made.stream("spice1", "Dipeptides", tmp_path / "s.hdf5"))


@pytest.mark.parametrize(
    ("smiles", "charge"),
    [
        ("CCO", 0),
        ("[NH4+]", 1),
        ("[O-][N+](=O)c1ccccc1", 0),
        ("[Ca++:1].[Cl-:2]", 1),
        ("[Mg+2]", 2),
        ("[C@@H:3]([O-:1])[O-:2]", -2),
    ],
)
def test_the_charge_of_a_smiles_string(smiles, charge):
    assert charge_of(smiles) == charge


def test_ani_skips_what_has_no_label_and_counts_it(tmp_path):
    positions, energies, forces = made.write_ani(tmp_path / "a.h5")
    stream = made.stream("ani1x", "all", tmp_path / "a.h5")
    structures = list(stream)
    assert [atoms.info["farfield_index"] for atoms in structures] == [0, 3, 4, 7]
    assert stream.n_skipped == 4 and stream.n_structures() == 8
    compare(structures[1], positions[3], energies[3] * made.HARTREE, forces[3] * made.HARTREE)
    assert len(list(made.stream("ani1x", "all", tmp_path / "a.h5", count=3))) == 3


@pytest.mark.parametrize("as_fairchem", [True, False])
def test_ase_databases_in_lmdb(as_fairchem, tmp_path):
    positions, energies, forces = made.write_lmdb(
        tmp_path / "data.0000.aselmdb", as_fairchem=as_fairchem
    )
    made.write_lmdb(tmp_path / "data.0001.aselmdb", count=2, deleted=())
    structures = list(made.stream("omol25", "val", tmp_path))
    assert [atoms.info["farfield_index"] for atoms in structures] == [0, 1, 2, 3, 4]
    compare(structures[1], positions[2], energies[2], forces[2])  # row 2 was deleted
    assert structures[0].info["charge"] == -1 and structures[0].info["spin"] == 2
    assert "nbo" not in structures[0].info and structures[0].pbc.all()
    np.testing.assert_allclose(structures[0].info["REF_stress"], np.arange(6) / 100)
    assert len(read(f"aselmdb:{tmp_path}")) == 5
    assert read(f"aselmdb:{tmp_path}/data.0001.aselmdb")[0].info["REF_level_of_theory"] == "unknown"


def test_ase_itself_reads_the_rows_that_the_tests_write(tmp_path):
    import zlib

    import lmdb
    from ase.db.row import AtomsRow
    from ase.io.jsonio import decode

    made.write_lmdb(tmp_path / "a.aselmdb", count=1, deleted=())
    with lmdb.open(str(tmp_path / "a.aselmdb"), subdir=False, lock=False) as environment:
        row = decode(zlib.decompress(environment.begin().get(b"1")).decode())
    theirs = AtomsRow(row).toatoms()
    ours = read(f"aselmdb:{tmp_path / 'a.aselmdb'}")[0]
    np.testing.assert_array_equal(theirs.get_forces(), ours.arrays["REF_forces"])
    np.testing.assert_array_equal(theirs.get_stress(), ours.info["REF_stress"])


def test_the_json_of_mptrj(tmp_path, monkeypatch):
    made.write_chgnet(tmp_path / "MPtrj_2022.9_full.json")
    for chunk in (1 << 22, 700):  # the whole, and in pieces smaller than a material
        monkeypatch.setattr("farfield.datasets.formats.chgnet_json._CHUNK", chunk)
        structures = list(made.stream("mptrj", "json", tmp_path / "MPtrj_2022.9_full.json"))
        assert len(structures) == 4
    positions, energies, forces = made.frames(2)
    compare(structures[3], positions[1], energies[1], forces[1])  # uncorrected
    kilobar = 1 / 1602.1766  # eV/Å³; ASE's sign is the opposite of VASP's
    np.testing.assert_allclose(
        structures[0].info["REF_stress"], -kilobar * np.array([10, 20, 30, 4, 5, 6]), rtol=1e-6
    )


def test_zipped_xyz_of_mptrj(tmp_path):
    made.write_mptrj_zip(tmp_path / "a.zip")
    positions, energies, forces = made.frames(2)
    structures = list(made.stream("mptrj", "", tmp_path / "a.zip"))
    assert len(structures) == 4
    compare(structures[3], positions[1], energies[1], forces[1])
    assert structures[0].info["REF_level_of_theory"] == "PBE/PBE+U (Materials Project)"
    assert len(list(made.stream("mptrj", "/mp-149", tmp_path / "a.zip"))) == 2
    with pytest.raises(DatasetError, match="none of its 2 XYZ files"):
        list(made.stream("mptrj", "mp-3", tmp_path / "a.zip"))
    with zipfile.ZipFile(tmp_path / "b.zip", "w") as archive:
        archive.writestr("mptrj-gga-ggapu/mp-149.extxyz", b"\xff\xfe\x00")
    with pytest.raises(
        DatasetError, match=r"b.zip/mptrj-gga-ggapu/mp-149.extxyz: no text in UTF-8"
    ):
        list(made.stream("mptrj", "", tmp_path / "b.zip"))


def test_oc20_as_published_is_compressed_xyz(tmp_path):
    folder = tmp_path / "s2ef_val_id" / "s2ef_val_id"
    folder.mkdir(parents=True)
    for number in range(2):
        content = lzma.compress(made.xyz_text(3).encode())
        (folder / f"{number}.extxyz.xz").write_bytes(content)
    structures = list(made.stream("oc20", "val_id", tmp_path))
    positions, energies, forces = made.frames(3)
    assert len(structures) == 6
    compare(structures[4], positions[1], energies[1], forces[1])


def test_botnet_energies_alone_and_isolated_atoms(tmp_path):
    path = tmp_path / "a.xyz"
    path.write_text('1\nProperties=species:S:1:pos:R:3 energy=-13.6 pbc="F F F"\nH 0.0 0.0 0.0\n')
    (atom,) = made.stream("acac", "isolated_atoms", path)
    assert made.labels(atom)[0] == -13.6 and not made.labels(atom)[1].any()
    path.write_text("2\nProperties=species:S:1:pos:R:3 energy=-1\nH 0 0 0\nH 0 0 0.8\n")
    (pair,) = made.stream("acac", "test_dihedral", path)
    assert pair.info["REF_energy"] == -1 and "REF_forces" not in pair.arrays


def test_the_authors_splits_take_their_level_from_the_path(tmp_path):
    folder = tmp_path / "benchmarks" / "md17_ood_sim"
    folder.mkdir(parents=True)
    (folder / "md17_train.xyz").write_text(made.xyz_text())
    (tmp_path / "benchmarks" / "other.xyz").write_text(made.xyz_text())
    structures = list(made.stream("kreiman2025", "md17_ood_sim/md17_train", tmp_path))
    assert structures[0].info["REF_level_of_theory"] == "PBE+vdW-TS"
    (other, *_) = made.stream("kreiman2025", "other", tmp_path)
    assert other.info["REF_level_of_theory"] == "unknown"
    with pytest.raises(DatasetError, match=r"0 of its files are 'x'; it holds .*other\.xyz"):
        list(made.stream("kreiman2025", "x", tmp_path))


def test_embedded_structures_are_those_of_the_file():
    from farfield.embedded import structures_file

    named, plain = read("embedded:new_element"), read(structures_file("new_element"))
    assert len(named) == len(plain)
    for one, other in zip(named, plain, strict=True):
        np.testing.assert_array_equal(one.positions, other.positions)
        assert one.info["REF_level_of_theory"] == other.info["REF_level_of_theory"]
        assert one.info["REF_energy"] == other.info["REF_energy"]


def broken(kind, tmp_path):
    """A file of a data set with one thing wrong, and what the error must say."""
    import h5py

    path = tmp_path / kind
    if kind.startswith("npz"):
        made.write_sgdml(tmp_path / "a.npz", e_unit="eV" if kind == "npz of eV" else "kcal/mol")
        content = dict(np.load(tmp_path / "a.npz"))
        if kind == "npz without forces":
            del content["F"]
        if kind == "npz of mixed lengths":
            content["F"] = content["F"][:3]
        if kind == "npz with a NaN":
            content["E"][2] = np.nan
        if kind == "npz of an unknown unit":
            content["e_unit"] = "furlong"
        if kind == "npz with a NaN position":
            content["R"][1, 0, 0] = np.nan
        with path.open("wb") as handle:
            np.savez(handle, **content)
        if kind == "npz cut short":
            path.write_bytes(path.read_bytes()[:-300])
        return "md17", "aspirin", path
    if kind.startswith("HDF5"):
        made.write_spice(path)
        with h5py.File(path, "a") as handle:
            group = handle["103147721"]
            if kind == "HDF5 without gradients":
                del group["dft_total_gradient"]
            if kind == "HDF5 of mixed lengths":
                del group["dft_total_energy"]
                group["dft_total_energy"] = np.zeros(7)
            if kind == "HDF5 in eV":
                group["dft_total_gradient"].attrs["units"] = "eV/angstrom"
            if kind == "HDF5 with a NaN":
                group["dft_total_energy"][0] = np.nan
        if kind == "HDF5 cut short":
            path.write_bytes(path.read_bytes()[:-2000])
        return "spice1", "all", path
    if kind.startswith("LMDB"):
        made.write_lmdb(path)
        if kind == "LMDB cut short":
            path.write_bytes(path.read_bytes()[:8192])
        if kind == "LMDB that is none":
            path.write_bytes(b"no LMDB" * 4000)
        return "omol25", "val", path
    path = tmp_path / "a.json"
    made.write_chgnet(path)
    text = path.read_text()
    if kind == "JSON cut short":
        path.write_text(text[:-40])
    if kind == "JSON without stress":
        path.write_text(text.replace('"stress"', '"strain"'))
    return "mptrj", "json", path


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("npz without forces", "no array 'F'"),
        ("npz of mixed lengths", r"F has the shape \(3, 3, 3\), and there are 5 energies of 3"),
        ("npz with a NaN", "structure 2: its energy label is not a finite number"),
        ("npz with a NaN position", "position of atom 0 is not a finite number"),
        ("npz of eV", "declares eV, and this data set is in kcal/mol"),
        ("npz of an unknown unit", "declares the unit 'furlong', which is not known"),
        ("npz cut short", "no whole npz file"),
        ("HDF5 without gradients", "has no 'dft_total_gradient'"),
        ("HDF5 of mixed lengths", "the lengths must agree"),
        ("HDF5 in eV", "declares eV, and this data set is in Hartree"),
        ("HDF5 with a NaN", "energy label is not a finite number"),
        ("HDF5 cut short", "no whole HDF5 file"),
        ("LMDB cut short", "it has 8192 of its"),
        ("LMDB that is none", "it is no LMDB file"),
        ("JSON cut short", "it ends early"),
        ("JSON without stress", "it has no 'stress'"),
    ],
)
def test_bad_files_are_refused_in_one_line(kind, words, tmp_path):
    name, subset, path = broken(kind, tmp_path)
    with pytest.raises((DatasetError, StructureError), match=words) as caught:
        list(made.stream(name, subset, path))
    assert "\n" not in str(caught.value)


def test_units_that_nobody_knows_are_refused():
    with pytest.raises(DatasetError, match="unknown unit 'Hartee'; did you mean 'Hartree'"):
        Units("Hartee")


def test_an_lmdb_without_ase_rows_is_named_as_such(tmp_path):
    import lmdb

    path = str(tmp_path / "a.lmdb")
    with lmdb.open(path, subdir=False) as environment, environment.begin(write=True) as rows:
        rows.put(b"0", b"pickled")
    with pytest.raises(DatasetError, match="no ASE database"):
        read(f"aselmdb:{tmp_path / 'a.lmdb'}")


def test_a_file_named_like_a_reference_is_the_file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "embedded:train.xyz").write_text(made.xyz_text(2))
    assert len(read("embedded:train.xyz")) == 2
    with pytest.raises(FarfieldError, match=r"no subset 'train2\.xyz'; did you mean 'train'"):
        read("embedded:train2.xyz")
