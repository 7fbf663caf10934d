"""Tasks on public data sets, on small files in the layouts in which these are published."""

from __future__ import annotations

import gzip
import os
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pytest
from tests.datasets import made

from farfield.benchmarks.modes.mode import load_mode
from farfield.benchmarks.runner import run_benchmark
from farfield.benchmarks.tasks.checks import check_task
from farfield.benchmarks.tasks.task import Task, load_task
from farfield.datasets import fetching
from farfield.structures import labels_of

from .conftest import mode_content, write_yaml


def molecules_of_rmd17(folder: Path) -> None:
    content = folder / "rmd17.tar.bz2.unpacked" / "rmd17"
    (content / "npz_data").mkdir(parents=True)
    (content / "splits").mkdir()
    molecules = ("aspirin", "uracil", "salicylic", "toluene", "naphthalene")
    for seed, molecule in enumerate(molecules):
        made.write_revised(content / "npz_data" / f"rmd17_{molecule}.npz", 200, seed)
    for name, places in {"train": range(0, 200, 2), "test": range(1, 200, 2)}.items():
        (content / "splits" / f"index_{name}_01.csv").write_text("\n".join(map(str, places)))


def molecules_of_md22(folder: Path) -> None:
    made.write_sgdml(folder / "md22_Ac-Ala3-NHMe.npz", 2500, e_unit="kcal/mol", r_unit="Ang")


def molecules_of_spice(folder: Path) -> None:
    """Groups of every kind that the task takes, and of those that it must not take."""
    kinds = {  # subset: number of atoms, SMILES string, element of the first atom, conformations
        "PubChem Set 1 Single Points Dataset v1.2": [
            (3, "O", 8, 500), (29, "C", 9, 80), (40, "C", 6, 70), (3, "[NH4+:1]", 7, 200),
            (3, "CBr", 35, 200), (45, "CI", 53, 200), (35, "C", 6, 4000),
        ],
        "PubChem Set 10 Single Points Dataset v1.0": [(41, "N", 7, 300)],
        "Dipeptides Single Points Dataset v1.2": [(20, "N", 7, 1100)],
        "Solvated Amino Acids Single Points Dataset v1.1": [(50, "O", 8, 600)],
    }  # fmt: skip
    random = np.random.default_rng(0)
    with h5py.File(folder / "SPICE-2.0.1.hdf5", "w") as handle:
        for subset, groups in kinds.items():
            for size, smiles, first, count in groups:
                numbers = [first] + [1] * (size - 1)
                chain = 1.5 * np.arange(size)[:, None] * np.array([1.0, 0.0, 0.0])
                positions = chain + random.normal(0.0, 0.1, (count, size, 3))
                labels = random.normal(0.0, 1.0, (count, size, 3))
                group = handle.create_group(f"{subset[:16]} {size} {smiles} {first}")
                energies = random.normal(-76.0, 0.1, count)
                made.fill_spice(group, subset, smiles, numbers, positions, energies, labels)


def molecules_of_3bpa(folder: Path) -> None:
    names = ("test_300K", "test_600K", "test_1200K", "test_dih")
    botnet(folder, dict.fromkeys(names, 80) | {"train_300K": 500}, "iso_atoms")


def molecules_of_acac(folder: Path) -> None:
    names = ("test_MD_300K", "test_MD_600K", "test_H_transfer", "test_dihedral")
    botnet(folder, dict.fromkeys(names, 80) | {"train_300K": 500}, "isolated_atoms")


def botnet(folder: Path, counts: dict[str, int], isolated: str) -> None:
    for seed, (name, count) in enumerate(counts.items()):
        (folder / f"{name}.xyz").write_text(made.xyz_text(count, seed))
    comment = 'Properties=species:S:1:pos:R:3 energy=-1.0 pbc="F F F"'
    atoms = [f"1\n{comment}\n{symbol} 0 0 0\n" for symbol in "HO"]
    (folder / f"{isolated}.xyz").write_text("".join(atoms))


LAYOUTS: dict[str, tuple[str, Callable[[Path], None]]] = {
    "rmd17": ("rmd17", molecules_of_rmd17),
    "md22-force-norm": ("md22", molecules_of_md22),
    "spice2-molecules": ("spice2", molecules_of_spice),
    "3bpa": ("3bpa", molecules_of_3bpa),
    "acac": ("acac", molecules_of_acac),
}


@pytest.fixture
def public(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Task]:
    """The task of a name, its data in the published layout and with nobody's checksum."""

    def lay_out(name: str) -> Task:
        data_set, write = LAYOUTS[name]
        folder = tmp_path / data_set
        folder.mkdir()
        write(folder)
        return load_task(name)

    monkeypatch.setenv(fetching.FOLDER_VARIABLE, str(tmp_path))
    monkeypatch.setattr(fetching, "verify", lambda file, path: None)
    return lay_out


@pytest.mark.parametrize("name", LAYOUTS)
def test_a_public_task_is_sound(name: str, public: Callable[[str], Task]) -> None:
    task = public(name)
    assert len(check_task(task).test) == 16
    levels = {a.info["REF_level_of_theory"] for a in task.training_structures()}
    assert {level.removesuffix(" (3BPA)") for level in levels} == {task.level_of_theory}


@pytest.mark.skipif("FARFIELD_DATA" not in os.environ, reason="FARFIELD_DATA names no folder")
def test_acetylacetone_is_sound_on_the_real_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "acac").mkdir()
    for packed in (Path(os.environ["FARFIELD_DATA"]) / "botnet" / "acac").glob("*.xyz.gz"):
        (tmp_path / "acac" / packed.stem).write_bytes(gzip.decompress(packed.read_bytes()))
    monkeypatch.setenv(fetching.FOLDER_VARIABLE, str(tmp_path))
    task = load_task("acac")
    assert len(check_task(task).test) == 16
    energies = [labels_of(atoms).energy for atoms in task.training_structures()]  # type: ignore[union-attr]
    assert np.std(energies[:-4]) < 1.0  # eV: one molecule, and its isolated atoms after it


def test_spice_is_cut_by_size_charge_and_elements(public: Callable[[str], Task]) -> None:
    task = public("spice2-molecules")
    for name, selections in {"train": task.train, **task.sets}.items():
        for atoms in task.structures(selections):
            assert atoms.info["charge"] == 0
            assert not {"Br", "I"} & set(atoms.get_chemical_symbols())
            if name in ("train", "control"):
                assert len(atoms) < 30
            if name == "size":
                assert len(atoms) == 40  # 41 are of another subset, "PubChem Set 10"


def test_md22_is_cut_by_quantiles_of_the_force_norm(public: Callable[[str], Task]) -> None:
    task = public("md22-force-norm")
    norms = {}
    for name, selections in {"train": task.train, **task.sets}.items():
        forces = [labels_of(atoms).known_forces for atoms in task.structures(selections)]  # type: ignore[union-attr]
        norms[name] = np.linalg.norm(forces, axis=2).mean(axis=1)
    assert max(norms["train"].max(), norms["control"].max()) < norms["above_the_median"].min()
    assert norms["above_the_median"].max() < norms["highest"].min()


def test_a_public_task_is_run(public: Callable[[str], Task], tmp_path: Path) -> None:
    public("rmd17")
    content = mode_content(["supervised", "prior_alone"])
    content |= {"tasks": ["rmd17"], "most_train": 12, "most_test": 4}
    mode = load_mode(write_yaml(tmp_path / "seconds.yaml", content))
    found = run_benchmark(mode, tmp_path / "out", name="seconds", command="")
    assert {entry["status"] for entry in found["entries"]} == {"done"}
    assert {entry["set"] for entry in found["entries"]} == {"control", "toluene", "naphthalene"}
    assert found["tasks"]["rmd17"]["licence"] == "CC0 1.0"
