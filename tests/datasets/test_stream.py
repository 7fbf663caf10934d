"""Which structures a choice takes, and that no more than these are read."""

from __future__ import annotations

import json

import numpy as np
import pytest

from farfield.datasets import Block, Choice, Stream, read_reference, stream
from farfield.datasets.indices import read_indices
from farfield.errors import ConfigError, DatasetError
from tests.datasets import made

SIZES = (3, 0, 5, 2)  # four blocks


def opened(**choice):
    """A stream of ten structures, and a list of the places that were read."""
    positions = made.frames(1)[0][0]
    touched: list[tuple[int, int]] = []

    def blocks():
        for number, size in enumerate(SIZES):

            def read(places, number=number):
                for place in places:
                    touched.append((number, place))
                    if (number, place) == (2, 2):  # place 5 of all: no label
                        yield None
                        continue
                    yield made.Atoms("OHH", positions=positions)

            yield Block(size, read)

    return Stream("ten", blocks, Choice(**choice)), touched


def places(choice_stream):
    return [atoms.info["farfield_index"] for atoms in choice_stream]


@pytest.mark.parametrize(
    ("choice", "expected"),
    [
        ({}, [0, 1, 2, 3, 4, 6, 7, 8, 9]),
        ({"first": 4}, [4, 6, 7, 8, 9]),
        ({"count": 6}, [0, 1, 2, 3, 4, 6]),
        ({"first": 2, "every": 3}, [2, 8]),
        ({"first": 1, "every": 4, "count": 1}, [1]),
        ({"every": 100}, [0]),
    ],
)
def test_what_is_taken_in_order(choice, expected):
    assert places(opened(**choice)[0]) == expected


def test_reading_stops_where_enough_is_read():
    few, touched = opened(first=1, count=3)
    assert places(few) == [1, 2, 3]
    assert touched == [(0, 1), (0, 2), (2, 0)]


def test_a_sample_is_seeded_and_reads_its_members_alone():
    first, touched = opened(sample=4, seed=7)
    taken = places(first)
    assert len(touched) == 4 and taken == sorted(taken)
    assert len(taken) + first.n_skipped == 4
    assert places(opened(sample=4, seed=7)[0]) == taken
    assert any(places(opened(sample=4, seed=seed)[0]) != taken for seed in range(3))


def test_what_is_skipped_is_counted_anew_each_time():
    whole, _ = opened()
    assert [len(places(whole)), whole.n_skipped] == [9, 1]
    assert [len(places(whole)), whole.n_skipped] == [9, 1]
    assert whole.n_structures() == 10


@pytest.mark.parametrize(
    ("choice", "words"),
    [
        ({"count": 10}, "ten has 9 structures to give, not 10, and 1 without labels"),
        ({"first": 10}, "ten has 0 structures to give"),
        ({"sample": 11}, "ten has 10 structures to choose from, not 11"),
    ],
)
def test_too_few_structures_are_an_error(choice, words):
    with pytest.raises(DatasetError, match=words):
        places(opened(**choice)[0])


@pytest.mark.parametrize("choice", [{"first": -1}, {"every": 0}, {"count": 3, "sample": 2}])
def test_impossible_choices_are_refused(choice):
    with pytest.raises(ConfigError):
        Choice(**choice)


@pytest.mark.parametrize("ending", ["npy", "json", "txt", "csv"])
def test_index_lists(ending, tmp_path):
    path = tmp_path / f"list.{ending}"
    wanted = [8, 1, 4]
    if ending == "npy":
        np.save(path, wanted)
    elif ending == "json":
        path.write_text(json.dumps(wanted))
    else:
        path.write_text("8\n1\n4\n" if ending == "txt" else "8,1,4\n")
    assert places(opened(indices=path)[0]) == [1, 4, 8]
    assert places(opened(indices=path, first=1)[0]) == [4, 8]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("3\n3\n", "the index 3 stands in it twice"),
        ("-1\n", "the index -1 is negative"),
        ("1.5\n", "no list of indices"),
        ("", "at least one"),
        ("10\n", "names the structure 10, and ten has 10, counted from 0"),
    ],
)
def test_bad_index_lists_are_refused(text, words, tmp_path):
    path = tmp_path / "list.txt"
    path.write_text(text)
    with pytest.raises(DatasetError, match=words):
        places(opened(indices=path)[0])


def test_an_index_list_of_no_file():
    from pathlib import Path

    with pytest.raises(DatasetError, match="no list of indices"):
        read_indices(Path("nowhere.npy"))


@pytest.mark.parametrize(
    ("reference", "words"),
    [
        ("embedded:train@count", "key=value pairs"),
        ("embedded:train@cuont=3", "did you mean 'count'"),
        ("embedded:train@count=-3", "must be a whole number, not '-3'"),
        ("rmd71:aspirin", "did you mean 'rmd17'"),
        ("rmd17:asprin", "did you mean 'aspirin'"),
        ("dataset:rmd17", "several subsets; name one: aspirin"),
        ("md17:ethanol", "has 555092 structures: say how many are wanted"),
    ],
)
def test_references_that_are_not_understood(reference, words):
    with pytest.raises((DatasetError, ConfigError), match=words):
        read_reference(reference)


def test_references_are_understood():
    assert [a.info["farfield_index"] for a in stream("embedded:train@first=5,count=2")] == [5, 6]
    assert len(read_reference("dataset:embedded@sample=3,seed=1")) == 3
    assert len(read_reference("dataset:embedded:new_element@every=10")) == 4
