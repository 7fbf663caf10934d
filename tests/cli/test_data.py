"""``farfield data``, and data sets where a file of structures is taken."""

from __future__ import annotations

import json

from farfield.datasets import DATASETS
from farfield.structures import read


def test_list_and_info(farfield):
    done = farfield("data", "list", "--json")
    assert [entry["name"] for entry in json.loads(done.out)][: len(DATASETS)] == list(DATASETS)
    assert "rmd17" in farfield("data", "list").out
    told = farfield("data", "info", "rmd17:uracil").out
    for words in ("PBE/def2-SVP", "CC0 1.0", "uracil (100000)", "sha256, published", "kcal/mol"):
        assert words in told
    assert "aspirin" not in told
    assert "the first download is trusted" in farfield("data", "info", "md17:uracil").out
    content = json.loads(farfield("data", "info", "spice2", "--json").out)
    assert content["files"][0]["checksum"] == "md5:bfba2224b6540e1390a579569b475510"
    assert content["files"][0]["bytes"] == 37_479_271_148 and not content["files"][0]["here"]


def test_get_writes_what_is_wanted(farfield, tmp_path):
    target = tmp_path / "few.extxyz"
    done = farfield("data", "get", "embedded:train@sample=5,seed=2", "-o", target, "--json")
    assert json.loads(done.out)["n_structures"] == 5
    assert len(read(target)) == 5


def test_errors_are_one_line(farfield):
    for words, message in (
        (("data", "get", "md71:aspirin"), "did you mean 'md17'"),
        (("data", "info", "rmd17:asprin"), "did you mean 'aspirin'"),
        (("data", "get", "omol25:val"), "FARFIELD_DATASETS"),
        (("data", "gett"), "gett"),
    ):
        done = farfield(*words)
        assert (done.code, done.out) == (2, "")
        assert message in done.err and done.err.count("\n") == 1


def test_a_data_set_stands_where_a_file_does(farfield, tmp_path):
    output = tmp_path / "labelled.extxyz"
    done = farfield("label", "embedded:new_element@count=2", "--prior", "noise-0.1", "-o", output)
    assert done.code == 0, done.err
    assert [atoms.info["farfield_file"] for atoms in read(output)] == ["labelled.extxyz"] * 2
