"""A sample of training atoms in which no element is lost: the smallest keys of each element."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, final

import numpy as np
import numpy.typing as npt

from farfield.shifts.contract import ELEMENTS, Ints
from farfield.shifts.remembered.recalled import atom_keys
from farfield.shifts.remembered.subsample import first_of_each

if TYPE_CHECKING:
    from farfield.shifts.observation import Observation

Array = npt.NDArray[Any]

MOST = 256  # atoms of an element
PENDING = 4096  # atoms that wait before the sample is thinned
_COLUMNS = ("keys", "structures", "numbers", "degrees", "local_densities", "features")


@final
class Environments:
    """At most ``budget`` atoms, shared among the elements as evenly as their numbers allow.

    Of each element those with the smallest keys are kept; how many is decided by the exact
    numbers of atoms, so that order and parts do not matter.

    Attributes
    ----------
    budget
        Number of atoms; none are kept when it is 0.
    columns
        ``keys`` of the atoms and of their ``structures``, ``numbers``, ``degrees``,
        ``local_densities`` (n, 64) and ``features`` (n, F), sorted by key.
    """

    def __init__(self, budget: int) -> None:
        self.budget = budget
        self.columns: dict[str, Array] = {}
        self._waiting: list[dict[str, Array]] = []
        self._n_waiting = 0
        self._limits = np.full(ELEMENTS, np.iinfo(np.uint64).max, dtype=np.uint64)

    def add(self, seen: Observation, counts: Ints) -> None:
        """Offer the atoms of a structure; ``counts`` are the numbers of atoms so far, (119,)."""
        if self.budget == 0:
            return
        keys = atom_keys(seen.key, seen.n_atoms)
        chosen = np.flatnonzero(keys <= self._limits[seen.numbers])
        if len(chosen) == 0:
            return
        features = np.zeros((seen.n_atoms, 0)) if seen.features is None else seen.features
        self._wait(
            {
                "keys": keys[chosen],
                "structures": np.full(len(chosen), seen.key, dtype=np.uint64),
                "numbers": seen.numbers[chosen].astype(np.uint8),
                "degrees": np.minimum(seen.degrees[chosen], 65535).astype(np.uint16),
                "local_densities": seen.local_densities[chosen],
                "features": features[chosen].astype(np.float16),
            },
            counts,
        )

    def _wait(self, found: dict[str, Array], counts: Ints) -> None:
        self._waiting.append(found)
        self._n_waiting += len(found["keys"])
        if self._n_waiting > PENDING:
            self.settle(counts)

    def settle(self, counts: Ints) -> None:
        """Thin the sample to what ``counts`` allow."""
        parts = [self.columns] * bool(self.columns) + self._waiting
        if not parts:
            return
        whole = {name: np.concatenate([part[name] for part in parts]) for name in _COLUMNS}
        _, first = np.unique(whole["keys"], return_index=True)  # sorted by key, copies dropped
        whole = {name: values[first] for name, values in whole.items()}
        share = quota(counts, self.budget)
        kept = first_of_each(whole["numbers"], share)
        self.columns = {name: values[kept] for name, values in whole.items()}
        self._waiting, self._n_waiting = [], 0
        for number in np.unique(self.columns["numbers"]):
            own = self.columns["keys"][self.columns["numbers"] == number]
            if len(own) == share:
                self._limits[number] = own[-1]

    def take(self, first: Environments, second: Environments, counts: Ints) -> None:
        """Hold what two settled samples hold, whose atoms are ``counts`` together."""
        self._waiting = [part.columns for part in (first, second) if part.columns]
        self.settle(counts)

    def kept(self, mask: npt.NDArray[np.bool_]) -> Environments:
        """A part of a settled sample."""
        part = Environments(self.budget)
        part.columns = {name: values[mask] for name, values in self.columns.items()}
        return part

    def arrays(self) -> dict[str, Array]:
        """Everything as arrays, for a file."""
        return dict(self.columns)

    @classmethod
    def from_arrays(cls, budget: int, content: Mapping[str, Array]) -> Environments:
        """What :meth:`arrays` gave."""
        made = cls(budget)
        made.columns = dict(content)
        return made


def quota(counts: Ints, budget: int) -> int:
    """How many atoms of each element may be kept, at least one, so that all fit the budget."""
    present = counts[counts > 0]
    shares = np.arange(1, MOST + 1)
    totals = np.minimum(present[:, None], shares[None, :]).sum(axis=0)
    return max(1, int(np.sum(totals <= budget)))
