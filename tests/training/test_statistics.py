"""Isolated-atom energies, force scales, and what a training set refuses."""

from __future__ import annotations

import numpy as np
import pytest
from ase import Atoms
from ase.build import molecule

from farfield.errors import LabelError
from farfield.structures import Labels, attach
from farfield.training.statistics import force_scale, isolated_energies
from farfield.training.supervised import supervised

E0 = {1: -13.0, 6: -1030.0, 8: -2040.0}


def labelled(name: str, level: str = "A") -> Atoms:
    atoms = molecule(name)
    energy = sum(E0[int(number)] for number in atoms.numbers)
    attach(atoms, Labels(energy, np.ones((len(atoms), 3)), None, level))
    return atoms


def single(symbol: str) -> Atoms:
    atoms = Atoms(symbol, [(0, 0, 0)])
    attach(atoms, Labels(E0[int(atoms.numbers[0])] + 1.0, np.zeros((1, 3)), None, "A"))
    return atoms


def test_single_atoms_give_their_own_energy() -> None:
    structures = [labelled("H2O"), labelled("CH4"), single("H"), single("C"), single("O")]
    found = isolated_energies(structures, supervised_labels(structures))
    assert found == {1: -12.0, 6: -1029.0, 8: -2039.0}


def test_least_squares_recovers_what_has_no_single_atom() -> None:
    structures = [labelled("H2O"), labelled("CH4"), labelled("CH3OH"), labelled("CO2")]
    found = isolated_energies(structures, supervised_labels(structures))
    assert found == pytest.approx(E0)


def supervised_labels(structures: list[Atoms]) -> list[Labels]:
    from farfield.structures import require_labels

    return require_labels(structures, energy=True, purpose="a test")


def test_force_scale_is_the_root_mean_square() -> None:
    labels = [Labels(0.0, np.array([[3.0, 0.0, 0.0]])), Labels(0.0, np.array([[0.0, 4.0, 0.0]]))]
    assert force_scale(labels) == pytest.approx(np.sqrt(25.0 / 6.0))


def test_isolated_atoms_are_no_samples() -> None:
    training_set = supervised([labelled("H2O"), labelled("CH4"), single("O")])
    assert len(training_set.samples) == 2
    assert set(training_set.energies["reference"]) == {1, 6, 8}


def test_two_levels_of_theory_never_share_a_head() -> None:
    with pytest.raises(LabelError, match="2 levels of theory"):
        supervised([labelled("H2O"), labelled("CH4", level="B")])


def test_only_isolated_atoms_is_an_error() -> None:
    with pytest.raises(LabelError, match="isolated atoms only"):
        supervised([single("H"), single("O")])
