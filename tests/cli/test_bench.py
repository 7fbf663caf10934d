"""``farfield bench`` from end to end on a tiny task, and how it refuses what makes no sense."""

from __future__ import annotations

import json

import pytest
from tests.benchmarks.conftest import workshop
from tests.benchmarks.made import results

__all__ = ["workshop"]  # the fixture

PARTS = ("run", "list", "compare", "report")


def test_help_says_what_there_is(farfield):
    whole = farfield("bench", "--help")
    assert whole.code == 0
    for part in PARTS:
        done = farfield("bench", part, "--help")
        assert (done.code, done.err) == (0, "")
        assert f"  {part} " in whole.out


@pytest.mark.parametrize("group", ["bench", "data"])
def test_the_name_alone_prints_the_help(farfield, group):
    done = farfield(group)
    assert (done.code, done.err) == (0, "")
    assert done.out == farfield(group, "--help").out


def test_list_names_tasks_modes_families_and_contestants(farfield):
    found = json.loads(farfield("bench", "list", "--json").out)
    assert "embedded" in found["tasks"]
    assert {"dev", "fast", "standard"} <= set(found["modes"])
    assert "painn" in found["families"]
    assert "ttt" in found["contestants"]
    assert farfield("bench", "list").out.count("\n") > 20


def test_run_compare_and_report(farfield, workshop):
    run = ("bench", "run", "--mode", "seconds.yaml", "-o")
    first = farfield(*run, "first", "--json")
    assert first.code == 0, first.err
    content = json.loads(first.out)
    assert content["command"] == "farfield bench run --mode seconds.yaml -o first"
    assert content["seeds"] == [0]
    assert (workshop / "first" / "leaderboard.html").stat().st_size > 10_000
    again = farfield(*run, "first", "--seeds", "0,1")
    assert again.code == 0, again.err
    assert "seed 0" not in again.err  # was there already
    assert "seed 1" in again.err
    same = farfield("bench", "compare", "first/results.json", "first/results.json")
    assert same.code == 0, same.err
    assert same.out.count("not settled") == same.out.count("\n") == 5
    page = farfield("bench", "report", "first/results.json", "-o", "page.html")
    assert page.code == 0, page.err
    assert "Small molecules" in (workshop / "page.html").read_text()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("run", "--mode", "fats", "-o", "x"), "no mode is called 'fats'; did you mean 'fast'"),
        (("run", "--task", "embeded", "-o", "x"), "did you mean 'embedded'"),
        (("run", "--families", "pain", "-o", "x"), "did you mean 'painn'"),
        (("run", "--contestants", "tt", "-o", "x"), "did you mean 'ttt'"),
        (("run", "--seeds", "one", "-o", "x"), "whole numbers with commas between"),
        (("run", "--mod", "dev", "-o", "x"), "--mode"),
        (("compare", "a.json", "none.json"), "none.json: no such file"),
        (("compare", "a.json", "b.json"), "another level of theory (PBE; wB97X)"),
        (("report", "a.json", "b.json", "-o", "page.html"), "another level of theory"),
        (("runn",), "Did you mean 'run'"),
    ],
)
def test_what_makes_no_sense_is_refused_on_one_line(
    farfield, arguments, said, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.json").write_text(json.dumps(results()))
    (tmp_path / "b.json").write_text(json.dumps(results(level_of_theory="wB97X")))
    done = farfield("bench", *arguments)
    assert (done.code, done.out, done.err.count("\n")) == (2, "", 1), done
    assert said in done.err
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.json", "b.json"]
