"""Labels: kept apart by name, refused when missing, out of reach when stripped."""

from __future__ import annotations

import numpy as np
import pytest
from ase import Atoms
from ase.calculators.singlepoint import SinglePointCalculator

from farfield.errors import LabelError
from farfield.structures import (
    Labels,
    attach,
    labels_of,
    require_labels,
    single_level,
    without_labels,
)


def test_attach_replaces_the_whole_set(labelled: list[Atoms]) -> None:
    atoms = labelled[2]
    prior = labels_of(atoms, "farfield_gfn2")
    attach(atoms, Labels(None, np.zeros((2, 3)), level_of_theory="B3LYP"))
    labels = labels_of(atoms)
    assert labels is not None
    assert (labels.energy, labels.stress, labels.level_of_theory) == (None, None, "B3LYP")
    kept = labels_of(atoms, "farfield_gfn2")
    assert prior is not None
    assert kept is not None
    assert kept.energy == prior.energy


def test_labels_do_not_alias_the_structure(labelled: list[Atoms]) -> None:
    labels = labels_of(labelled[2])
    assert labels is not None
    assert labels.forces is not None
    assert labels.stress is not None
    before = labels.forces.copy(), labels.stress.copy()
    labelled[2].arrays["REF_forces"] += 1.0
    labelled[2].info["REF_stress"] += 1.0
    np.testing.assert_array_equal(labels.forces, before[0])
    np.testing.assert_array_equal(labels.stress, before[1])


def test_require_labels(labelled: list[Atoms]) -> None:
    assert len(require_labels(labelled, energy=True, purpose="training")) == 3
    with pytest.raises(LabelError, match=r"no 'farfield_emt' label with forces, which training"):
        require_labels(labelled, "farfield_emt", purpose="training")


def test_require_labels_names_what_is_missing(labelled: list[Atoms]) -> None:
    del labelled[1].info["REF_energy"]
    require_labels(labelled, purpose="training")
    with pytest.raises(LabelError, match=r"H2O has no 'REF' label with an energy and forces"):
        require_labels(labelled, energy=True, purpose="training")
    del labelled[1].arrays["REF_forces"]
    with pytest.raises(LabelError, match="with forces"):
        require_labels(labelled, purpose="training")


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_labels_that_are_not_finite(labelled: list[Atoms], value: float) -> None:
    labelled[0].arrays["REF_forces"][3, 1] = value
    with pytest.raises(LabelError, match="not a finite number"):
        require_labels(labelled, purpose="training")


def test_an_energy_that_is_not_finite(labelled: list[Atoms]) -> None:
    labelled[0].info["REF_energy"] = np.nan
    with pytest.raises(LabelError, match="not a finite number"):
        require_labels(labelled, purpose="training")


def test_levels_of_theory_are_not_mixed(labelled: list[Atoms]) -> None:
    labelled[1].info["REF_level_of_theory"] = "B3LYP"
    with pytest.raises(LabelError, match=r"2 levels of theory \(B3LYP; PBE/def2-SVP\)"):
        require_labels(labelled, purpose="training")


def test_single_level() -> None:
    assert single_level([], "nothing") == "unknown"
    assert single_level([Labels(1.0, None, level_of_theory="PBE")] * 2, "this") == "PBE"


def test_without_labels_leaves_none_reachable(labelled: list[Atoms]) -> None:
    for atoms in labelled:
        calculator = SinglePointCalculator(atoms, energy=-1.0, forces=np.ones((len(atoms), 3)))
        atoms.calc = calculator
        atoms.info.update(charge=1, spin=2, energy=-5.0, note={"energy": -5.0}, TotEnergy=-5.0)
        atoms.info.update(farfield_file="a.xyz", farfield_index=0)
        atoms.set_array("forces", np.ones((len(atoms), 3)))
        atoms.set_initial_charges(np.ones(len(atoms)))
    for atoms, bare in zip(labelled, without_labels(labelled), strict=True):
        assert bare.calc is None
        assert set(bare.arrays) == {"numbers", "positions"}
        assert bare.info == {
            "charge": 1,
            "spin": 2,
            "farfield_file": "a.xyz",
            "farfield_index": 0,
        }
        assert labels_of(bare) is None
        assert labels_of(bare, "farfield_gfn2") is None
        np.testing.assert_array_equal(bare.positions, atoms.positions)
        np.testing.assert_array_equal(bare.cell, atoms.cell)
        assert (bare.pbc == atoms.pbc).all()
        bare.positions += 1.0
        assert not np.allclose(bare.positions, atoms.positions)  # a copy, not a view
