"""The compositions of training structures: each once, with the number of its structures."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any, final

import numpy as np
import numpy.typing as npt

from farfield.shifts.contract import ELEMENTS, Floats, Ints

Array = npt.NDArray[Any]

KEPT = 1024


@final
class Compositions:
    """Reduced formulas with the smallest keys, at most 1024, and how often each was met.

    A formula that is kept at the end was never dropped on the way, so its count is exact.
    """

    def __init__(self) -> None:
        self._found: dict[int, tuple[npt.NDArray[np.uint16], int]] = {}

    def add(self, composition: Ints, count: int = 1) -> None:
        """Count one structure (or, below zero, one less) with so many atoms of each element."""
        reduced = (composition // np.gcd.reduce(composition)).astype(np.uint16)
        key = int.from_bytes(hashlib.blake2b(reduced.tobytes(), digest_size=8).digest(), "little")
        self._count(key, reduced, count)
        if len(self._found) > 2 * KEPT:
            self.settle()

    def _count(self, key: int, reduced: npt.NDArray[np.uint16], count: int) -> None:
        before = self._found.get(key, (reduced, 0))[1]
        self._found[key] = (reduced, before + count)

    def settle(self) -> None:
        """Drop what is too many, and what is left of no structure."""
        present = sorted(key for key, (_, count) in self._found.items() if count > 0)
        self._found = {key: self._found[key] for key in present[:KEPT]}

    def merged(self, other: Compositions) -> Compositions:
        """Those of both."""
        both = Compositions()
        both._found = dict(self._found)
        for key, (reduced, count) in other._found.items():
            both._count(key, reduced, count)
        both.settle()
        return both

    def fractions(self) -> Floats:
        """Share of the atoms that are of each element, shape (n, 119)."""
        table = self.arrays()["reduced"].astype(float)
        return np.asarray(table / table.sum(axis=1, keepdims=True))

    def arrays(self) -> dict[str, Array]:
        """Everything as arrays, for a file."""
        keys = sorted(self._found)
        reduced = [self._found[key][0] for key in keys]
        return {
            "keys": np.array(keys, dtype=np.uint64),
            "reduced": np.stack(reduced) if keys else np.zeros((0, ELEMENTS), dtype=np.uint16),
            "counts": np.array([self._found[key][1] for key in keys], dtype=np.int64),
        }

    @classmethod
    def from_arrays(cls, content: Mapping[str, Array]) -> Compositions:
        """What :meth:`arrays` gave."""
        made = cls()
        for key, reduced, count in zip(
            content["keys"].tolist(), content["reduced"], content["counts"].tolist(), strict=True
        ):
            made._found[key] = (reduced, count)
        return made
