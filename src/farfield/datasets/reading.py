"""Structures of a data set by a reference, such as ``rmd17:aspirin@sample=500,seed=1``.

A reference is ``NAME:SUBSET`` or ``dataset:NAME`` or ``dataset:NAME:SUBSET``, and after an ``@``
which structures are wanted, by the names of :class:`farfield.datasets.stream.Choice`.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import final

from ase import Atoms

from farfield.datasets.contract import Block, Dataset, Source, Subset
from farfield.datasets.fetching import fetch
from farfield.datasets.registry import load_dataset
from farfield.datasets.stream import Choice, Stream
from farfield.errors import ConfigError, DatasetError, did_you_mean

PREFIX = "dataset"
MOST = 200_000  # structures that are read at once without being asked for by number


@final
@dataclass(frozen=True)
class Reference:
    """A subset of a data set and which of its structures are wanted.

    Attributes
    ----------
    dataset, subset
        The data set, and the subset in it.
    name
        ``NAME:SUBSET``, as errors and ``info["farfield_file"]`` have it.
    choice
        Which structures.
    """

    dataset: Dataset
    subset: Subset
    name: str
    choice: Choice

    @classmethod
    def parse(cls, text: str) -> Reference:
        """Read a reference.

        Raises
        ------
        DatasetError
            There is no such data set or subset.
        ConfigError
            The choice after ``@`` is not understood.
        """
        address, at, words = text.partition("@")
        name, _, subset = address.removeprefix(f"{PREFIX}:").partition(":")
        dataset = load_dataset(name)
        found = dataset.subset(subset)
        full = f"{name}:{subset or dataset.default}"
        return cls(dataset, found, full, _choice(words, text) if at else Choice())


def stream(reference: str) -> Stream:
    """Return the structures of a reference, to be read one at a time.

    Files are fetched when the iteration begins.
    """
    wanted = Reference.parse(reference)
    return Stream(wanted.name, lambda: _blocks(wanted), _with_split(wanted))


def read_reference(reference: str) -> list[Atoms]:
    """Read the structures of a reference into memory.

    Raises
    ------
    DatasetError
        They cannot be had, or would be more than a machine can be expected to hold.
    """
    wanted = Reference.parse(reference)
    published, choice = wanted.subset.n_structures or 0, wanted.choice
    limited = choice.count or choice.sample or choice.indices
    if not limited and published // choice.every > MOST:
        raise DatasetError(
            f"{wanted.name} has {published} structures: say how many are wanted, as in "
            f"{wanted.name}@count=1000 or {wanted.name}@sample=1000,seed=0"
        )
    found = list(islice(stream(reference), None if limited else MOST + 1))
    if len(found) > MOST:
        raise DatasetError(
            f"{wanted.name} has more than {MOST} structures: add @count=N or @sample=N"
        )
    return found


def _blocks(wanted: Reference) -> Iterator[Block]:
    file = wanted.subset.file
    path = Path() if file is None else fetch(wanted.dataset, file)
    return wanted.dataset.reader(Source(wanted.dataset, wanted.subset, path))


def _with_split(wanted: Reference) -> Choice:
    """The choice, with the published list of indices that the subset asks for."""
    subset = wanted.subset
    if not subset.indices or subset.file is None:
        return wanted.choice
    if wanted.choice.indices is not None:
        raise ConfigError(f"{wanted.name} is a published split: it takes no indices=FILE")
    folder = fetch(wanted.dataset, subset.file)
    return dataclasses.replace(wanted.choice, indices=folder / subset.indices)


def _choice(words: str, text: str) -> Choice:
    known = {field.name for field in dataclasses.fields(Choice)}
    found: dict[str, int | Path] = {}
    for word in words.split(","):
        key, equals, value = word.partition("=")
        if not equals or not value:
            raise ConfigError(f"{text}: after @ stand key=value pairs, such as count=100,first=50")
        if key not in known:
            raise ConfigError(f"{text}: unknown key {key!r}{did_you_mean(key, known)}")
        if key == "indices":
            found[key] = Path(value)
            continue
        if not (value.isascii() and value.isdigit()):
            raise ConfigError(f"{text}: {key} must be a whole number, not {value!r}")
        found[key] = int(value)
    return Choice(**found)  # type: ignore[arg-type]
