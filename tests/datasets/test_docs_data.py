"""The page on data sets says what the registry holds, and every entry is complete."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from farfield.datasets import DATASETS, Dataset, load_dataset
from farfield.datasets.registry import GROUP
from farfield.datasets.table import markdown
from farfield.errors import DatasetError

PAGE = Path(__file__).parents[2] / "docs" / "data.md"


def test_the_table_is_the_registry():
    assert markdown() in PAGE.read_text(), "run  python -m farfield.datasets.table  and paste"


@pytest.mark.parametrize("dataset", DATASETS.values(), ids=DATASETS)
def test_an_entry_is_complete(dataset):
    assert DATASETS[dataset.name] is dataset and re.fullmatch(r"[a-z0-9]+", dataset.name)
    for text in (dataset.title, dataset.level_of_theory, dataset.licence, dataset.citation):
        assert text.strip()
    assert dataset.subsets or dataset.subset_of is not None
    assert not dataset.default or dataset.default in dataset.subsets
    for subset in dataset.subsets.values():
        file = subset.file
        if file is None:
            assert dataset.name in ("embedded", "synthetic")
            continue
        assert file.url.startswith("http") or dataset.page.startswith("http")
        kind, _, digest = file.checksum.partition(":")
        assert (kind, len(digest)) in {("", 0), ("md5", 32), ("sha256", 64)}
        assert "/" not in file.name


class Point:
    name, value = "theirs", "package:THEIRS"

    def __init__(self, found):
        self.found = found

    def load(self):
        return self.found


def test_another_package_adds_a_set(monkeypatch):
    theirs = DATASETS["embedded"]
    for found in (theirs, "nothing"):

        def points(*, group, name="theirs", found=found):
            return [Point(found)] if (group, name) == (GROUP, "theirs") else []

        monkeypatch.setattr("farfield.datasets.registry.entry_points", points)
        if isinstance(found, Dataset):
            assert load_dataset("theirs") is theirs
            continue
        with pytest.raises(DatasetError, match=r"it must be a farfield\.datasets"):
            load_dataset("theirs")
    with pytest.raises(DatasetError, match="did you mean 'theirs'"):
        load_dataset("their")
