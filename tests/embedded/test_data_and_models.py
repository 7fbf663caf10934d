"""What the project ships: sizes, levels of theory, safe files, and who made them."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from farfield import embedded
from farfield.structures import read, require_labels

COUNTS = {
    "train": 240,
    "isolated_atoms": 5,
    "in_distribution": 64,
    "new_molecules": 40,
    "high_force_norm": 40,
    "new_element": 40,
    "new_connectivity": 40,
}
LEVEL = "wB97X/6-31G(d) (PySCF, density fitting, grid level 2)"


@pytest.mark.parametrize("name", COUNTS)
def test_every_structure_has_finite_labels_of_the_one_level(name: str) -> None:
    structures = read(embedded.structures_file(name))
    labels = require_labels(structures, energy=True, purpose="a test")
    assert len(structures) == COUNTS[name]
    assert {label.level_of_theory for label in labels} == {LEVEL}


def test_the_data_are_small() -> None:
    folder = embedded.structures_file("train").parent
    assert sum(path.stat().st_size for path in folder.iterdir()) < 6e6


def test_no_test_structure_is_a_training_structure() -> None:
    train = read(embedded.structures_file("train"))
    known = {atoms.positions.tobytes() for atoms in train}
    for name in (embedded.CONTROL, *embedded.SHIFTED):
        for atoms in read(embedded.structures_file(name)):
            assert atoms.positions.tobytes() not in known


def test_forces_of_the_reference_add_up_to_little() -> None:
    for name in COUNTS:
        for atoms in read(embedded.structures_file(name)):
            assert np.abs(atoms.arrays["REF_forces"].sum(axis=0)).max() < 0.25  # eV/Å, the grid's


def test_only_the_new_element_is_new() -> None:
    train = {z for atoms in read(embedded.structures_file("train")) for z in atoms.numbers}
    for name in embedded.SHIFTED:
        found = {z for atoms in read(embedded.structures_file(name)) for z in atoms.numbers}
        assert found - train == ({9} if name == "new_element" else set())


@pytest.mark.parametrize("alias", embedded.MODELS)
def test_models_are_tensors_and_plain_values(alias: str) -> None:
    content = torch.load(embedded.MODELS[alias], weights_only=True)
    assert content["format"] == "farfield-model"
    assert set(content["metadata"]["levels_of_theory"].values()) <= {LEVEL, "GFN2-xTB (tblite)"}
    assert content["metadata"]["settings"]["seed"] == 0
