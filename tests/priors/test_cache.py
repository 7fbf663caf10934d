from __future__ import annotations

import sqlite3
from contextlib import closing

import numpy as np
import pytest
from ase import Atoms
from hypothesis import given, settings
from hypothesis import strategies as st

from farfield.errors import LabelError
from farfield.priors import Failure, LabelCache, default_cache_dir, key_of
from farfield.structures import Labels

unhurried = settings(deadline=None)  # a loaded machine is no error
finite = st.floats(allow_nan=False, allow_infinity=False)
coordinates = st.lists(st.tuples(finite, finite, finite), min_size=1, max_size=4)


@unhurried
@given(coordinates)
def test_the_same_geometry_has_the_same_key(positions):
    one = Atoms("H" * len(positions), positions=positions)
    other = Atoms("H" * len(positions), positions=np.array(positions, order="F"))
    other.info["note"] = "no part of the geometry"
    other.arrays["tag"] = np.ones(len(positions))
    assert key_of(one, "a") == key_of(other, "a")


@unhurried
@given(coordinates, coordinates)
def test_another_geometry_has_another_key(first, second):
    one = Atoms("H" * len(first), positions=first)
    other = Atoms("H" * len(second), positions=second)
    same = one.positions.shape == other.positions.shape and (one.positions == other.positions).all()
    assert (key_of(one, "a") == key_of(other, "a")) == same


def variants():
    yield "a", Atoms("HO", positions=[[0, 0, 0], [0, 0, 1.0]])
    yield "b", Atoms("HO", positions=[[0, 0, 0], [0, 0, 1.0]])
    yield "a", Atoms("OH", positions=[[0, 0, 0], [0, 0, 1.0]])
    yield "a", Atoms("HO", positions=[[0, 0, 1.0], [0, 0, 0]])
    yield "a", Atoms("HO", positions=[[0, 0, 0], [0, 0, np.nextafter(1.0, 2.0)]])
    yield "a", Atoms("HO", positions=[[0, 0, 0], [0, 0, 1.0]], cell=[9, 9, 9])
    yield "a", Atoms("HO", positions=[[0, 0, 0], [0, 0, 1.0]], cell=[9, 9, 9], pbc=True)
    yield "a", Atoms("HO", positions=[[0, 0, 0], [0, 0, 1.0]], cell=[9, 9, 9], pbc=[1, 1, 0])
    yield "a", Atoms("HO", positions=[[0, 0, 0], [0, 0, 1.0]], info={"charge": 1})
    yield "a", Atoms("HO", positions=[[0, 0, 0], [0, 0, 1.0]], info={"spin": 1})


def test_all_that_decides_a_label_is_in_the_key():
    keys = [key_of(atoms, level) for level, atoms in variants()]
    assert len(set(keys)) == len(keys)


def test_the_type_of_a_charge_and_the_sign_of_zero_are_not_in_the_key():
    one = Atoms("H", positions=[[0.0, 0.0, 0.0]], info={"charge": 1})
    other = Atoms("H", positions=[[0.0, -0.0, 0.0]], info={"charge": np.float64(1.0)})
    assert key_of(one, "a") == key_of(other, "a")
    one.info["charge"] = "plus one"
    assert key_of(one, "a") != key_of(other, "a")


@settings(max_examples=30, deadline=None)
@given(
    energy=finite,
    forces=coordinates,
    stress=st.none() | st.tuples(*[finite] * 6),
)
def test_labels_come_back_to_the_bit(tmp_path_factory, energy, forces, stress):
    labels = Labels(
        energy, np.array(forces), None if stress is None else np.array(stress), "GFN2-xTB, ü"
    )
    with LabelCache(tmp_path_factory.mktemp("cache")) as cache:
        cache.put("key", labels, labels.level_of_theory)
        found = cache.get("key")
    assert found.energy == energy  # hence to the bit, but for SQLite's -0.0, which is 0.0
    assert found.forces.shape == (len(forces), 3)
    assert found.forces.tobytes() == labels.forces.tobytes()
    assert found.level_of_theory == labels.level_of_theory
    if stress is None:
        assert found.stress is None
    else:
        assert found.stress.tobytes() == labels.stress.tobytes()


def test_failures_are_kept_and_can_be_replaced(tmp_path):
    with LabelCache(tmp_path) as cache:
        assert cache.get("key") is None
        cache.put("key", Failure("did not converge"), "a")
        assert cache.get("key") == Failure("did not converge")
        cache.put("key", Labels(1.0, np.zeros((1, 3)), None, "a"), "a")
        assert cache.get("key").energy == 1.0
        assert len(cache) == 1


def test_what_was_put_is_there_for_others_at_once(tmp_path):
    with LabelCache(tmp_path) as one, LabelCache(tmp_path) as other:
        one.put("a", Failure("1"), "x")
        assert other.get("a") == Failure("1")
        other.put("b", Failure("2"), "x")
        assert one.get("b") == Failure("2")
    with LabelCache(tmp_path) as again:
        assert len(again) == 2


def test_a_file_that_is_no_database_is_an_error(tmp_path):
    (tmp_path / "labels.sqlite").write_text("not a database, by no means\n" * 50)
    with pytest.raises(LabelError, match="damaged"):
        LabelCache(tmp_path)


def test_damage_inside_the_file_is_an_error_when_it_is_met(tmp_path):
    with LabelCache(tmp_path) as cache:
        for index in range(200):
            cache.put(f"{index:064}", Labels(1.0, np.ones((20, 3)), None, "a"), "a")
    file = tmp_path / "labels.sqlite"
    content = bytearray(file.read_bytes())
    content[4096:] = b"\xa5" * (len(content) - 4096)
    file.write_bytes(content)
    with LabelCache(tmp_path) as cache, pytest.raises(LabelError, match="damaged"):
        cache.get(f"{0:064}")


def test_another_version_is_an_error(tmp_path):
    LabelCache(tmp_path).close()
    with closing(sqlite3.connect(tmp_path / "labels.sqlite")) as database:
        database.execute("PRAGMA user_version = 99")
    with pytest.raises(LabelError, match="version 99"):
        LabelCache(tmp_path)


def test_the_database_of_another_program_is_an_error_and_is_not_touched(tmp_path):
    with closing(sqlite3.connect(tmp_path / "labels.sqlite")) as database:
        database.execute("CREATE TABLE mine (x)")
        database.commit()
    with pytest.raises(LabelError, match="another program"):
        LabelCache(tmp_path)
    with closing(sqlite3.connect(tmp_path / "labels.sqlite")) as database:
        assert database.execute("SELECT name FROM sqlite_master").fetchall() == [("mine",)]


def test_a_folder_that_cannot_be_made_is_an_error(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(LabelError, match="cannot create the cache"):
        LabelCache(tmp_path / "file" / "cache")


def test_the_default_folder_follows_xdg(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert default_cache_dir() == tmp_path / "farfield"
    monkeypatch.setenv("XDG_CACHE_HOME", "")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    assert default_cache_dir() == tmp_path / "home" / ".cache" / "farfield"
