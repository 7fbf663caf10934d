"""Which structures of a data set are read, and in what way: one at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import final

import numpy as np
import numpy.typing as npt
from ase import Atoms

from farfield.datasets.contract import Block
from farfield.datasets.indices import read_indices
from farfield.errors import ConfigError, DatasetError
from farfield.structures import check


@final
@dataclass(frozen=True)
class Choice:
    """Which structures are wanted; all of them unless something is set.

    Attributes
    ----------
    first
        Where to begin, from 0.
    every
        Take every n-th from there.
    count
        How many to take from there; it is an error if there are fewer.
    sample
        How many to take at random; they come in the order of the file.
    seed
        Seed of the sample.
    indices
        A list of indices (see :func:`farfield.datasets.indices.read_indices`) to begin with.
    """

    first: int = 0
    every: int = 1
    count: int | None = None
    sample: int | None = None
    seed: int = 0
    indices: Path | None = None

    def __post_init__(self) -> None:
        """Refuse what makes no sense."""
        for name, least in (("first", 0), ("every", 1), ("count", 1), ("sample", 1), ("seed", 0)):
            value = getattr(self, name)
            if value is not None and value < least:
                raise ConfigError(f"{name}={value}: at least {least} is needed")
        if self.count is not None and self.sample is not None:
            raise ConfigError("count takes structures in order and sample at random: choose one")


@final
class Stream:
    """Structures of one subset, read while they are iterated over; every one is checked.

    Attributes
    ----------
    n_skipped
        How many of the wanted ones had no label, in the last iteration.
    """

    def __init__(self, name: str, blocks: Callable[[], Iterator[Block]], choice: Choice) -> None:
        self._name, self._blocks, self._choice = name, blocks, choice
        self.n_skipped = 0

    def __iter__(self) -> Iterator[Atoms]:
        """Read and yield the structures, in the order of the file."""
        self.n_skipped = 0
        given = 0
        for atoms in islice(self._read(self._wanted()), self._choice.count):
            given += 1
            yield atoms
        if given < (self._choice.count or 1):
            skipped = f", and {self.n_skipped} without labels" if self.n_skipped else ""
            wish = self._choice.count or 1
            raise DatasetError(f"{self._name} has {given} structures to give, not {wish}{skipped}")

    def n_structures(self) -> int:
        """How many structures there are before any choice, those without labels included."""
        return sum(block.n_structures for block in self._blocks())

    def _wanted(self) -> npt.NDArray[np.int64] | None:
        """The places of the wanted structures in the file; None: by :class:`Choice` alone."""
        choice = self._choice
        if choice.indices is None and choice.sample is None:
            return None
        total = self.n_structures()
        places = np.arange(total) if choice.indices is None else read_indices(choice.indices)
        if len(places) and places[-1] >= total:
            raise DatasetError(
                f"{choice.indices} names the structure {places[-1]}, and {self._name} has {total}, "
                "counted from 0: does the list belong to this set?"
            )
        places = places[choice.first :: choice.every]
        if choice.sample is None:
            return places
        if choice.sample > len(places):
            raise DatasetError(
                f"{self._name} has {len(places)} structures to choose from, not {choice.sample}"
            )
        return np.sort(np.random.default_rng(choice.seed).choice(places, choice.sample, False))

    def _read(self, wanted: npt.NDArray[np.int64] | None) -> Iterator[Atoms]:
        begin = 0
        for block in self._blocks():
            end = begin + block.n_structures
            places = self._within(wanted, begin, end)
            if places:
                inside = [place - begin for place in places]
                for place, atoms in zip(places, block.read(inside), strict=True):
                    if atoms is None:
                        self.n_skipped += 1
                        continue
                    atoms.info["farfield_file"] = self._name
                    atoms.info["farfield_index"] = place
                    atoms.set_constraint()
                    check(atoms)
                    yield atoms
            begin = end
            if wanted is not None and (not len(wanted) or wanted[-1] < begin):
                return

    def _within(self, wanted: npt.NDArray[np.int64] | None, begin: int, end: int) -> Sequence[int]:
        """The wanted places from ``begin`` to ``end``."""
        if wanted is not None:
            first, last = np.searchsorted(wanted, (begin, end))
            return [int(place) for place in wanted[first:last]]
        first, every = self._choice.first, self._choice.every
        steps = max(0, -((first - begin) // every))  # the first step that is not before begin
        return range(first + steps * every, end, every)
