"""Bonds, angles and dihedrals, across periodic boundaries too."""

from __future__ import annotations

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk, molecule

from farfield.errors import StructureError
from farfield.simulation.observables import (
    angle_distributions,
    bond_distributions,
    dihedral_distributions,
)
from farfield.simulation.observables.topology import angles, bonds, dihedrals

ETHANOL = molecule("CH3CH2OH")


@pytest.mark.parametrize(
    ("atoms", "counts"),
    [
        (molecule("H2O"), (2, 1, 0)),
        (molecule("CO2"), (2, 1, 0)),
        (molecule("C2H6"), (7, 12, 9)),
        (molecule("C2H2"), (3, 2, 0)),  # straight: no dihedral is defined
        (molecule("C6H6"), (12, 18, 24)),
        (molecule("C3H6_D3h"), (9, 3 + 6 * 2 + 3, None)),  # a ring of three
        (bulk("C", "diamond", a=3.57), (4, 12, 36)),  # per primitive cell of two atoms
        (bulk("C", "diamond", a=3.57, cubic=True), (16, 48, 144)),
        (bulk("Cu", a=3.6), (6, 66, None)),
        (Atoms("He"), (0, 0, 0)),
    ],
    ids=lambda value: value.get_chemical_formula() if isinstance(value, Atoms) else "",
)
def test_chains_are_counted_once(atoms: Atoms, counts: tuple[int, int, int | None]) -> None:
    assert len(bonds(atoms).atoms) == counts[0]
    assert len(angles(atoms).atoms) == counts[1]
    if counts[2] is not None:
        assert len(dihedrals(atoms).atoms) == counts[2]


def test_no_dihedral_of_a_three_ring_ends_where_it_begins() -> None:
    found = dihedrals(molecule("C3H6_D3h")).atoms
    assert (found[:, 0] != found[:, 3]).all()


def test_values_agree_with_ase() -> None:
    found = bond_distributions([ETHANOL], width=0.001)
    assert list(found) == ["C-C", "C-H", "C-O", "H-O"]
    symbols = ETHANOL.get_chemical_symbols()
    for kind, distribution in found.items():
        values = [
            ETHANOL.get_distance(i, j)
            for i, j in bonds(ETHANOL).atoms
            if kind == "-".join(sorted([symbols[i], symbols[j]]))
        ]
        assert distribution.samples == len(values)
        assert distribution.mean == pytest.approx(np.mean(values), abs=0.0006)
    for kind, distribution in angle_distributions([ETHANOL], width=0.01).items():
        chains = angles(ETHANOL).atoms
        names = np.array(symbols)
        values = [
            ETHANOL.get_angle(*chain)
            for chain in chains
            if kind in ("-".join(names[chain]), "-".join(names[chain[::-1]]))
        ]
        assert distribution.samples == len(values)
        assert distribution.mean == pytest.approx(np.mean(values), abs=0.006)


def test_dihedrals_are_signed_and_agree_with_ase() -> None:
    peroxide = molecule("H2O2")  # H-O-O-H, chiral
    chain = dihedrals(peroxide).atoms[0]
    expected = (peroxide.get_dihedral(*chain) + 180.0) % 360.0 - 180.0
    assert 5 < abs(expected) < 175
    found = dihedral_distributions([peroxide], width=0.01)["H-O-O-H"]
    assert found.mean == pytest.approx(expected, abs=0.006)
    peroxide.positions[:, 0] *= -1.0
    mirrored = dihedral_distributions([peroxide], width=0.01)["H-O-O-H"]
    assert mirrored.mean == pytest.approx(-expected, abs=0.006)


def test_straight_and_trans_have_a_bin() -> None:
    straight = angle_distributions([molecule("CO2")])["O-C-O"]
    assert straight.beyond == 0.0
    assert straight.density[-1] == 1.0
    trans = dihedral_distributions([molecule("trans-butane")])["C-C-C-C"]
    assert trans.beyond == 0.0
    assert trans.density[[0, -1]].sum() * 5.0 == pytest.approx(1.0)


def test_topology_is_that_of_the_first_frame_even_when_a_bond_breaks() -> None:
    water = molecule("H2O")
    broken = water.copy()
    broken.positions[1] += [0.0, 30.0, 0.0]
    found = bond_distributions([water, broken])["H-O"]
    assert found.samples == 4
    assert found.beyond == pytest.approx(0.25)


def test_wrapping_changes_nothing() -> None:
    rng = np.random.default_rng(5)
    diamond = bulk("C", "diamond", a=3.57)
    frames = []
    places = diamond.positions.copy()
    for index in range(60):
        places = places + 0.1 + 0.02 * rng.standard_normal(places.shape)
        diamond.set_cell(bulk("C", "diamond", a=3.57 + 0.001 * index).cell)
        diamond.positions = places
        frames.append(diamond.copy())
    wrapped = [frame.copy() for frame in frames]
    for frame in wrapped:
        frame.wrap()
    assert np.abs(frames[-1].positions - wrapped[-1].positions).max() > 3.0
    for function in (bond_distributions, angle_distributions, dihedral_distributions):
        for name, distribution in function(frames).items():
            assert function(wrapped)[name].difference(distribution) < 0.01


def test_frames_too_far_apart_are_refused() -> None:
    copper = bulk("Cu", cubic=True)
    moved = copper.copy()
    moved.positions[2, 0] += 0.45 * copper.cell[0, 0]
    with pytest.raises(StructureError, match=r"atom 2 .* between frames 0 and 1"):
        bond_distributions([copper, moved])
