"""Synthetic sets: shifted along their axis and no other, seeded, resumable, of two levels."""

from __future__ import annotations

import numpy as np
import pytest

from farfield.datasets import load_dataset
from farfield.datasets.synthetic import making
from farfield.datasets.synthetic.making import make_synthetic
from farfield.datasets.synthetic.molecules import AXES, KNOWN, SETS, TEMPERATURES_K, molecules
from farfield.errors import ConfigError, DatasetError, LabelError
from farfield.priors import load_prior
from farfield.structures import labels_of, read
from farfield.training.joint import joint

Chem = pytest.importorskip("rdkit.Chem", reason="not installed: pip install 'farfield[rdkit]'")
from farfield.datasets.synthetic.sampling import embedded, sample  # noqa: E402


def graphs(group):
    return {one.name: Chem.MolFromSmiles(one.smiles) for one in molecules()[group]}


def heavy(graph):
    return graph.GetNumAtoms()


def elements(graph):
    return {atom.GetSymbol() for atom in graph.GetAtoms()}


def test_the_list_of_molecules_is_shifted_along_one_axis_each():
    assert set(molecules()) == {KNOWN, *AXES}
    names = [one.name for group in molecules().values() for one in group]
    smiles = [Chem.CanonSmiles(one.smiles) for group in molecules().values() for one in group]
    assert len(names) == len(set(names)) == len(set(smiles)) > 100
    known = graphs(KNOWN).values()
    assert max(map(heavy, known)) <= 5 and set().union(*map(elements, known)) == {"C", "N", "O"}
    for axis in AXES:
        for name, graph in graphs(axis).items():
            rings = graph.GetRingInfo().NumRings()
            assert (heavy(graph) >= 7) == (axis == "size") or axis == "new_connectivity", name
            assert (not elements(graph) <= {"C", "N", "O"}) == (axis == "new_element"), name
            assert (rings > 0) == (axis == "new_connectivity"), name
            assert Chem.GetFormalCharge(graph) == 0


def test_forces_of_the_sampler_are_the_gradient_of_its_energy():
    for name in ("urotropine", "trimethylsilanol"):  # MMFF94, and what it may lack
        (molecule,) = (one for group in molecules().values() for one in group if one.name == name)
        atoms = embedded(molecule, 1)
        assert np.abs(atoms.get_forces()).max() < 0.01  # a minimum
        atoms.rattle(0.05, seed=2)
        forces = atoms.get_forces().copy()
        for place, axis in ((0, 0), (3, 2)):
            energies = []
            for step in (-1e-4, 2e-4):
                atoms.positions[place, axis] += step
                energies.append(atoms.get_potential_energy())
            atoms.positions[place, axis] -= 1e-4
            assert (energies[0] - energies[1]) / 2e-4 == pytest.approx(
                forces[place, axis], abs=1e-3
            )


def test_samples_are_seeded_and_hotter_ones_move_more():
    molecule = molecules()[KNOWN][5]
    cold, again, hot = (list(sample(molecule, t, 6, 3)) for t in (300.0, 300.0, 2000.0))
    np.testing.assert_array_equal(cold[5].positions, again[5].positions)

    def spread(frames):
        distances = [frame.get_all_distances() for frame in frames]
        return float(np.std(distances, axis=0).mean())

    assert spread(hot) > 1.5 * spread(cold)


def test_shares_are_even():
    shares = making._shares("temperature", 4000, 0)
    assert sum(shares.values()) == 400 and set(shares.values()) == {3, 4}
    assert {temperature for _, temperature in shares} == set(TEMPERATURES_K)
    assert sum(making._shares("train", 15, 0).values()) == 6
    assert list(making._shares("size", 100, 0)) != list(making._shares("size", 100, 1))


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """The smallest sets, labelled by two cheap force fields."""
    folder = tmp_path_factory.mktemp("synthetic")
    cache = tmp_path_factory.mktemp("labels")
    result = make_synthetic(
        folder, size=20, seed=4, reference="mmff94", prior="uff", cache=cache, progress=False
    )
    return folder, cache, result


def test_what_is_made(made):
    folder, _, result = made
    assert result.reference != result.prior
    for name in SETS:
        structures = read(folder / f"{name}.extxyz")
        expected = 8 if name == "train" else 2
        assert len(structures) == result.structures[name] == expected - result.failed[name]
        for atoms in structures:
            labels = labels_of(atoms)
            assert labels.level_of_theory == result.reference
            beside = labels_of(atoms, "farfield_uff")
            assert beside.level_of_theory == result.prior
            assert atoms.info["axis"] == name and atoms.info["molecule"]
    temperatures = {a.info["temperature_K"] for a in read(folder / "temperature.extxyz")}
    assert temperatures <= set(TEMPERATURES_K)


def test_a_stopped_run_continues_and_another_recipe_is_refused(made, monkeypatch):
    folder, cache, result = made
    before = (folder / "size.extxyz").read_bytes()
    (folder / "size.json").unlink()  # as if stopped after the file was written
    sampled = []
    original = making.sample
    monkeypatch.setattr(making, "sample", lambda *a: sampled.append(a[0]) or original(*a))
    options = {"size": 20, "seed": 4, "reference": "mmff94", "prior": "uff", "cache": cache}
    assert make_synthetic(folder, **options, progress=False) == result
    assert {one.name for one in sampled} <= set(graphs("size")) and sampled
    assert (folder / "size.extxyz").read_bytes() == before
    with pytest.raises(DatasetError, match="holds sets made with"):
        make_synthetic(folder, **(options | {"seed": 5}))


def test_reference_and_prior_of_one_level_are_refused(tmp_path):
    with pytest.raises(ConfigError, match="reference and prior are both GFN2-xTB"):
        make_synthetic(tmp_path, reference="gfn2", prior="gfn2")
    with pytest.raises(ConfigError, match="at least 10"):
        make_synthetic(tmp_path, size=9)


def test_two_heads_of_one_level_are_refused(made):
    structures = read(made[0] / "train.extxyz")
    for atoms in structures:
        atoms.info["REF_level_of_theory"] = atoms.info["farfield_uff_level_of_theory"]
    with pytest.raises(LabelError, match="two heads of one level of theory"):
        joint(structures, load_prior("uff"))


def test_a_prior_that_labels_nothing_is_said(tmp_path):
    with pytest.raises(LabelError, match="emt gave no labels for any structure of new_element"):
        make_synthetic(tmp_path, size=10, reference="emt", prior="uff", progress=False)


def test_named_sets_are_made_when_they_are_read(tmp_path, monkeypatch):
    pytest.importorskip("tblite", reason="not installed: pip install 'farfield[xtb]'")
    monkeypatch.setenv("FARFIELD_DATASETS", str(tmp_path))
    structures = read("synthetic:n10-seed1/train")
    assert len(structures) == 4
    assert structures[0].info["REF_level_of_theory"] == "GFN2-xTB (tblite)"
    assert structures[0].info["farfield_gfn1_level_of_theory"] == "GFN1-xTB (tblite)"
    assert (tmp_path / "synthetic" / "n10-seed1" / "synthetic.json").exists()
    atoms = read("synthetic:n10-seed1/isolated_atoms")
    assert len(atoms) == 9 and not any(one.arrays["REF_forces"].any() for one in atoms)
    with pytest.raises(DatasetError, match="no subset 'trian'; did you mean 'train'"):
        load_dataset("synthetic").subset("trian")
