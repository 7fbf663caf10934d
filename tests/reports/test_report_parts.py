"""The parts of the page: numbers, summaries, bonds, scenes, and what contents refuse."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from ase.build import bulk, molecule

from farfield.errors import ConfigError, StructureError
from farfield.reports import (
    AxisShift,
    Curve,
    DrawnStructure,
    ErrorRow,
    Interval,
    Report,
    SetSummary,
    covalent_bonds,
)
from farfield.reports.numbers import decimals_for, fixed, interval, percent, significant, unbroken
from farfield.reports.scenes import scale_position, scene, strangest_atoms
from farfield.reports.summaries import beyond, change, is_lowest, matrix, threshold

NAN = float("nan")
WATER = molecule("H2O")


def water(**changes: object) -> DrawnStructure:
    """Return a drawn water molecule."""
    drawn = DrawnStructure(
        "water", WATER.numbers.tolist(), WATER.positions.tolist(), [(0, 1), (0, 2)],
        [0.2, 0.9, NAN], "a", 0.9, "", "f", 0,
    )  # fmt: skip
    return dataclasses.replace(drawn, **changes)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("made", "expected"),
    [
        (fixed(1.25, 1), "1.2"),
        (fixed(-0.0, 1), "0.0"),
        (fixed(-0.04, 1), "0.0"),
        (fixed(None, 1), "—"),
        (fixed(float("inf"), 1), "—"),
        (significant(0.0), "0"),
        (significant(-0.5), "−0.500"),
        (significant(123456.0), "123456"),
        (significant(NAN), "—"),
        (percent(0.12, signed=True), "+12\u202f%"),
        (percent(0.001, signed=True), "0\u202f%"),
        (percent(None), "—"),
        (interval(Interval(1, 0, 2), 1), "1.0 [0.0, 2.0]"),
        (interval(Interval(1, NAN, NAN), 0), "1"),
        (interval(None, 0), "—"),
        (unbroken("at 900 K, 5 structures"), "at 900\xa0K, 5 structures"),
    ],
)
def test_numbers(made: str, expected: str) -> None:
    assert made == expected


def test_decimals_follow_the_smallest_number() -> None:
    assert decimals_for([640.0, 35.0, None, NAN]) == 0
    assert decimals_for([640.0, 8.4]) == 1
    assert decimals_for([0.0, 0.42]) == 2
    assert decimals_for([]) == 0


def test_share_beyond_counts_only_what_exceeds_the_threshold() -> None:
    flat = AxisShift("a", "A", "", "", [0.0] * 20, {"same": [0.0] * 4, "half": [0.0, 1.0]})
    assert threshold(flat) == 0.0
    assert beyond(flat, flat.sets["same"]) == 0.0
    assert beyond(flat, flat.sets["half"]) == 0.5
    assert beyond(flat, []) is None


def test_matrix_has_summarised_sets_first_and_marks_the_shifted_one() -> None:
    shift = AxisShift("a", "A", "", "", [0.0], {"y": [1.0], "x": [0.0]}, "x", {}, "y")
    summary = SetSummary("x", 4, {"inside": 3, "outside": 1}, "a", "")
    rows = matrix(Report("r", sets=[summary], axes=[shift]))
    assert [row.name for row in rows] == ["x", "y"]
    assert rows[0].leading == "A"
    assert rows[0].verdicts == [("inside", 3, 0.75), ("edge", 0, 0.0), ("outside", 1, 0.25)]
    assert [row.cells[0].shifted for row in rows] == [False, True]
    assert rows[1].verdicts == []


def test_change_is_against_the_named_method_of_the_same_set() -> None:
    rows = [
        ErrorRow("plain", "a", 1, Interval(200, 0, 0), is_baseline=True),
        ErrorRow("plain", "b", 1, Interval(50, 0, 0), is_baseline=True),
        ErrorRow("better", "b", 1, Interval(25, 0, 0), before="plain"),
        ErrorRow("lost", "b", 1, Interval(25, 0, 0), before="absent"),
    ]
    assert [change(row, rows) for row in rows] == [None, None, -0.5, None]
    assert [is_lowest(row, rows) for row in rows] == [False, False, True, True]


def test_bonds_are_the_chemical_ones() -> None:
    assert covalent_bonds(WATER.numbers.tolist(), WATER.positions.tolist()) == [(0, 1), (0, 2)]
    benzene = molecule("C6H6")
    assert len(covalent_bonds(benzene.numbers.tolist(), benzene.positions.tolist())) == 12
    assert covalent_bonds([2], [[0.0, 0.0, 0.0]]) == []
    assert covalent_bonds([], []) == []


def test_scene_is_turned_but_not_mirrored() -> None:
    chiral = molecule("H2O2")
    drawn = water(
        numbers=chiral.numbers.tolist(), positions=chiral.positions.tolist(), bonds=[],
        atom_values=[],
    )  # fmt: skip
    points = np.array(scene(drawn)["points"])

    def handedness(p: np.ndarray) -> float:
        return float(np.linalg.det(p[1:4] - p[0]))

    assert handedness(points) == pytest.approx(handedness(chiral.positions), abs=1e-3)
    assert abs(handedness(points)) > 0.1
    extents = np.ptp(points, axis=0)
    assert extents[0] >= extents[2]


def test_scene_of_a_crystal_has_its_box() -> None:
    salt = bulk("NaCl", "rocksalt", a=5.64)
    drawn = water(
        numbers=salt.numbers.tolist(), positions=salt.positions.tolist(), bonds=[],
        atom_values=[], cell=salt.cell.tolist(),
    )  # fmt: skip
    made = scene(drawn)
    corners = np.array(made["corners"])
    lengths = sorted(float(np.linalg.norm(corners[i] - corners[j])) for i, j in made["edges"])
    assert lengths == pytest.approx([5.64 / np.sqrt(2)] * 12, abs=1e-3)


def test_scene_of_one_unknown_atom() -> None:
    made = scene(water(numbers=[0], positions=[[1.0, 2.0, 3.0]], bonds=[], atom_values=[NAN]))
    assert made["points"] == [[0.0, 0.0, 0.0]]
    assert made["symbols"] == ["X"]
    assert made["values"] == [None]


def test_strangest_atoms_skip_missing_values() -> None:
    assert strangest_atoms(water()) == [("H 1", 0.9), ("O 0", 0.2)]
    assert strangest_atoms(water(atom_values=[])) == []


def test_colour_scale_is_logarithmic_in_the_tail() -> None:
    assert [round(scale_position(q), 3) for q in (0.0, 0.9, 0.99, 1.0)] == [0.0, 0.5, 1.0, 1.0]


@pytest.mark.parametrize(
    "changes",
    [{"atom_values": [0.1]}, {"positions": [[0.0, 0.0, 0.0]]}, {"bonds": [(0, 3)]},
     {"bonds": [(-1, 0)]}],
)  # fmt: skip
def test_structures_that_do_not_add_up_are_refused(changes: dict[str, object]) -> None:
    with pytest.raises(StructureError, match="water"):
        water(**changes)


def test_unknown_verdicts_and_ragged_curves_are_refused() -> None:
    with pytest.raises(ConfigError, match="far"):
        SetSummary("a", 1, {"far": 1}, None, "")
    with pytest.raises(ConfigError, match="2 values"):
        Curve("c", "", [0], {"s": [1.0, 2.0]})
