"""The contract of a data set: what it holds, where its files are, and how they are read."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import final

from ase import Atoms

from farfield.datasets.units import Units
from farfield.errors import DatasetError, did_you_mean

NO_LEVEL = "unknown"


@final
@dataclass(frozen=True)
class Block:
    """Structures that stand together in a file: a molecule's, a material's, or all of them.

    A block can be read until the next one is asked for; then its file may be closed.

    Attributes
    ----------
    n_structures
        How many there are.
    read
        Reads the structures at increasing places (from 0) of this block, one at a time. A
        structure whose label the data set declares missing comes back as None.
    """

    n_structures: int
    read: Callable[[Sequence[int]], Iterable[Atoms | None]]


@final
@dataclass(frozen=True)
class File:
    """One file of a data set, as published.

    Attributes
    ----------
    name
        Its name in the data set's folder.
    url
        Where it is fetched; empty when a person must fetch it (an account, a licence to accept).
    checksum
        ``md5:...`` or ``sha256:...`` as published; empty when none is published that we know of.
        Then the first download is trusted, and every later use is compared with it.
    size
        Size in bytes, or None when not published.
    unpack
        Whether it is an archive to unpack beside it.
    """

    name: str
    url: str = ""
    checksum: str = ""
    size: int | None = None
    unpack: bool = False


@final
@dataclass(frozen=True)
class Subset:
    """A part of a data set that can be read alone.

    Attributes
    ----------
    file
        The file that holds it; None when it comes with farfield.
    part
        What the reader needs to find it in the file: a path in an archive, a group's name.
    n_structures
        How many structures are published, or None when not known.
    level_of_theory
        Where it differs from that of the whole set; empty when it does not.
    indices
        Path, in the unpacked archive, of a published list of indices to keep; empty for all.
    """

    file: File | None
    part: str = ""
    n_structures: int | None = None
    level_of_theory: str = ""
    indices: str = ""


Reader = Callable[["Source"], Iterator[Block]]


@final
@dataclass(frozen=True)
class Dataset:
    """A public set of labelled structures.

    Attributes
    ----------
    name
        The word it is named by, as in ``rmd17:aspirin``.
    title, level_of_theory, licence, citation, page
        What it is; where a level or licence is not stated by its authors, the text says so.
    format
        The format of its files, in words.
    units
        The units of its files; readers convert to eV and Å.
    reader
        Yields the blocks of a subset.
    subsets
        The named subsets.
    default
        The subset that is meant when none is named; empty when one must be named.
    subset_of
        Makes a subset from a name that is not listed, such as a path; None when only listed ones
        exist. It raises DatasetError for a name that it cannot take.
    extra
        What must be installed to read it, beyond farfield's core; empty when nothing.
    note
        What a user must know; empty when nothing.
    """

    name: str
    title: str
    level_of_theory: str
    licence: str
    citation: str
    page: str
    format: str
    units: Units
    reader: Reader
    subsets: Mapping[str, Subset] = field(default_factory=dict)
    default: str = ""
    subset_of: Callable[[str], Subset] | None = None
    extra: str = ""
    note: str = ""

    def subset(self, name: str) -> Subset:
        """Return a subset by its name; an empty name is the default one.

        Raises
        ------
        DatasetError
            There is none of that name.
        """
        name = name or self.default
        if name in self.subsets:
            return self.subsets[name]
        if name and self.subset_of is not None:
            return self.subset_of(name)
        if not name:
            listed = ", ".join(self.subsets) or "farfield data info " + self.name
            others = f" ({self.note})" if self.subset_of is not None and self.note else ""
            raise DatasetError(f"{self.name} has several subsets; name one: {listed}{others}")
        raise DatasetError(f"{self.name} has no subset {name!r}{did_you_mean(name, self.subsets)}")


@final
@dataclass(frozen=True)
class Source:
    """What a reader gets: a subset whose file lies on this machine.

    Attributes
    ----------
    dataset, subset
        What is read.
    path
        The file, or the folder into which the archive was unpacked.
    """

    dataset: Dataset
    subset: Subset
    path: Path

    @property
    def level_of_theory(self) -> str:
        """The level of theory of the labels."""
        return self.subset.level_of_theory or self.dataset.level_of_theory
