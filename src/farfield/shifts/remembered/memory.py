"""What a profile remembers of structures before anything is fitted to them.

One pass over the structures, in bounded memory: exact counts and sums, and the structures
and atoms with the smallest keys. Keys are hashes of the geometry, so the sample is as good as
random, and neither the order of the structures nor the parts in which they come matter:
memories of the parts of a set, merged, are the memory of the set.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable
from dataclasses import dataclass, replace
from heapq import heappush, heappushpop
from typing import Any, final

import numpy as np
import numpy.typing as npt

from farfield.errors import ProfileError
from farfield.graphs import References, mixed
from farfield.shifts.observation import Observation
from farfield.shifts.remembered.compositions import Compositions
from farfield.shifts.remembered.environments import Environments
from farfield.shifts.remembered.recalled import Recalled, recall
from farfield.shifts.remembered.totals import Totals

Array = npt.NDArray[Any]

STRUCTURES = 384
TOLD = 320  # structures whose atoms shall find room
LEAST_TOLD = 4  # atoms of a structure
NUMBERS = 34  # bytes of an atom without features
LOCAL = 128  # bytes of a local density


@dataclass(frozen=True)
class Limits:
    """Bytes for what grows with the number of features, and numbers of entries for the rest.

    Attributes
    ----------
    rows
        Bytes of the atoms of remembered structures.
    environments
        Bytes of the sample of atoms of each element.
    local
        Number of atoms of remembered structures whose local density is kept.
    eigenvalues
        Number of eigenvalues.
    labelled
        Number of atoms that calibrate an error estimate.
    sums
        Whether sums of spectra and features are kept: of what axes are fitted to.
    """

    rows: int
    environments: int
    local: int = 1024
    eigenvalues: int = 20_000
    labelled: int = 8192
    sums: bool = True


TRAINING = Limits(rows=480_000, environments=280_000)
HELD_OUT = Limits(rows=340_000, environments=0, sums=False)


@final
class Memory:
    """What is remembered of training structures, or of held-out ones.

    Attributes
    ----------
    totals
        Exact counts and sums.
    structures
        By key, the at most 384 structures with the smallest keys, in ascending order once
        :meth:`settle` was called.
    environments, compositions, references
        The samples of atoms and of compositions; what radius refinement needs.
    """

    def __init__(self, limits: Limits = TRAINING) -> None:
        self.limits = limits
        self.totals = Totals()
        self.structures: dict[int, Recalled] = {}
        self.compositions = Compositions()
        self.references = References()
        self.environments = Environments(0)
        self.lacking: dict[str, tuple[int, str]] = {}
        self.n_features: int | None = None
        self._heap: list[int] = []

    @property
    def most_told(self) -> int:
        """Number of atoms of one structure that are remembered at most."""
        return max(LEAST_TOLD, self.most_rows // TOLD)

    @property
    def most_rows(self) -> int:
        """Number of atoms of remembered structures in all."""
        return self.limits.rows // (NUMBERS + 2 * (self.n_features or 0))

    def add(self, seen: Observation, lacking: dict[str, str]) -> None:
        """Take in one structure; ``lacking`` says why it has no score on some axes."""
        self.prepare(0 if seen.features is None else seen.features.shape[1])
        for axis, reason in lacking.items():
            count, before = self.lacking.get(axis, (0, reason))
            self.lacking[axis] = (count + 1, min(before, reason))
        self.totals.add(seen, seen.key, sums=self.limits.sums)
        if self.limits.sums:
            self.compositions.add(seen.composition)
            self.references.add(seen.key, seen.criteria)
        self.environments.add(seen, self.totals.atoms)
        if seen.key in self.structures:
            return
        if len(self._heap) < STRUCTURES:
            heappush(self._heap, -seen.key)
        else:
            dropped = -heappushpop(self._heap, -seen.key)
            if dropped == seen.key:
                return
            del self.structures[dropped]
        self.structures[seen.key] = recall(seen, self.most_told)

    def prepare(self, n_features: int) -> None:
        """Make room for so many features; another number than before is an error."""
        if self.n_features is None:
            self.n_features = n_features
            each = NUMBERS + LOCAL + 2 * n_features
            self.environments = Environments(self.limits.environments // each)
        elif self.n_features != n_features:
            raise ProfileError(
                f"structures with {self.n_features} and with {n_features} node features do not go "
                "into one profile: observe all of them with the same model"
            )

    def atoms(self, column: str) -> tuple[npt.NDArray[np.int64], Array]:
        """Atomic numbers of all atoms that are remembered, and what is known of them.

        First the sample of each element, then the atoms of remembered structures; ``column``
        is ``features`` or ``local_densities``.
        """
        parts = [self.environments.columns] * bool(self.environments.columns)
        parts += [one.rows for one in self.structures.values() if len(one.rows[column])]
        numbers = np.concatenate([part["numbers"] for part in parts]).astype(np.int64)
        return numbers, np.concatenate([part[column] for part in parts])

    def settle(self) -> Memory:
        """Keep what the limits allow, structures in order of their keys; returns itself."""
        self.environments.settle(self.totals.atoms)
        self.compositions.settle()
        room = _Room(self.most_rows), _Room(self.limits.local)
        more = _Room(self.limits.eigenvalues), _Room(self.limits.labelled)
        kept: dict[int, Recalled] = {}
        for key in sorted(self.structures)[:STRUCTURES]:
            one = self.structures[key]
            told = min(one.n_atoms, self.most_told)
            if not room[0].takes(told, one.rows["numbers"]):
                one = one.without_rows()
            if not room[1].takes(told, one.rows["local_densities"]):
                one = one.without_local()
            if not more[0].takes(one.n_atoms, one.eigenvalues):
                one = replace(one, eigenvalues=one.eigenvalues[:0])
            if one.calibrates and not more[1].takes(one.n_atoms, one.labelled):
                one = replace(one, labelled=one.labelled[:0])
            kept[key] = one
        self.structures = kept
        self._heap = [-key for key in reversed(kept)]  # ascending, and so a heap
        return self

    def merged(self, other: Memory) -> Memory:
        """What both remember together; both are settled."""
        both = Memory(self.limits)
        for memory in (self, other):
            if memory.n_features is not None:
                both.prepare(memory.n_features)
        both.totals = self.totals.merged(other.totals)
        both.compositions = self.compositions.merged(other.compositions)
        both.references = self.references.merged(other.references)
        both.environments.take(self.environments, other.environments, both.totals.atoms)
        both.structures = {**other.structures, **self.structures}
        both.lacking = dict(self.lacking)
        for axis, (count, reason) in other.lacking.items():
            before, told = both.lacking.get(axis, (0, reason))
            both.lacking[axis] = (before + count, min(told, reason))
        return both.settle()

    def without(self, part: int, parts: int, seed: int) -> Memory:
        """The memory of a settled one without the structures of one fold.

        What is remembered of these structures is taken from the sums, which is all of it in a
        small training set, and next to nothing in a large one.
        """
        rest = Memory(self.limits)
        rest.n_features = self.n_features
        rest.totals = self.totals.copy()
        rest.compositions = copy.deepcopy(self.compositions)
        fold = folds_of(self.structures, parts, seed)
        for (key, one), place in zip(self.structures.items(), fold, strict=True):
            if place == part:
                rest.totals.add(one, key, sign=-1)
                rest.compositions.add(one.composition, -1)
            else:
                rest.structures[key] = one
        rest.compositions.settle()
        if self.totals.count == len(self.structures):
            sizes = [one.n_atoms for one in rest.structures.values()]
            rest.totals.sizes = np.array([min(sizes), max(sizes)])
        columns = self.environments.columns
        if columns:
            owners = folds_of(columns["structures"].tolist(), parts, seed)
            rest.environments = self.environments.kept(owners != part)
        return rest


class _Room:
    """Takes entries until one does not fit, and none after it: so parts can be merged."""

    def __init__(self, limit: int) -> None:
        self._left = limit
        self._closed = False

    def takes(self, count: int, entries: Array) -> bool:
        self._left -= count
        self._closed = self._closed or self._left < 0 or len(entries) == 0
        return not self._closed


def folds_of(keys: Iterable[int], parts: int, seed: int) -> npt.NDArray[np.int64]:
    """The fold of each key, 0 to ``parts`` - 1: drawn by the key and the seed alone."""
    values = np.array(list(keys), dtype=np.uint64)
    return (mixed(mixed(values, seed), 1) % np.uint64(parts)).astype(np.int64)
