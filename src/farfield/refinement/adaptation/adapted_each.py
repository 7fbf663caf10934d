"""The model that has weights of its own for each of the structures it was adapted to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, final

import numpy as np
import torch
from ase import Atoms
from ase.calculators.calculator import Calculator

from farfield.errors import CapabilityError, ModelError
from farfield.potentials import Potential, Prediction, TrainablePotential
from farfield.potentials.trainable import State
from farfield.refinement.per_system import PerStructure
from farfield.structures import describe, without_labels

KIND = "adapted-each"
TOLERANCE = 1e-4  # Å, within which positions are those of a structure


@final
@dataclass(frozen=True)
class Adapted:
    """A structure without labels, and the weights that differ from the start for it."""

    atoms: Atoms
    weights: State


@final
class AdaptedEach(PerStructure):
    """A model that was adapted to structures one by one, each time from the same weights.

    It computes these structures, each with its own weights, and refuses all others: nothing is
    known of which weights would be right for them. A calculator keeps the weights of its first
    structure until the composition changes, so that molecular dynamics can start from each.

    Parameters
    ----------
    base
        The model that was started from.
    members
        The structures; one that was left alone has no weights of its own.
    """

    base: TrainablePotential

    def __init__(self, base: TrainablePotential, members: Sequence[Adapted]) -> None:
        super().__init__(base)
        self.members = list(members)
        self._start = base.state()
        self._moved = base.clone()

    @property
    def name(self) -> str:
        return f"{self.base.name}, adapted to {len(self.members)} structures one by one"

    def predict(self, structures: Sequence[Atoms], head: str | None = None) -> list[Prediction]:
        found = []
        for atoms in structures:
            self._moved.restore(self._state(self.place(atoms)))
            found += self._moved.predict([atoms], head)
        return found

    def place(self, atoms: Atoms) -> int:
        """Which of its structures this is.

        Raises
        ------
        CapabilityError
            None of them.
        """
        for place, member in enumerate(self.members):
            if _same(member.atoms, atoms):
                return place
        raise CapabilityError(
            f"{describe(atoms)} is none of the structures that {self.name} knows: refine for it "
            "too, or take one of its ordinary models, in the folder models beside it"
        )

    def at(self, place: int) -> TrainablePotential:
        """An ordinary model: the one that was adapted to a structure."""
        found = self.base.clone()
        found.restore(self._state(place))
        return found

    def fixed(self, atoms: Atoms, head: str) -> Calculator:
        return self.at(self.place(atoms)).calculator(head)

    def save(self, path: Path) -> None:
        """Write the base model with all weights beside it."""
        self.save_base(path, {"kind": KIND, "members": [_plain(one) for one in self.members]})

    @classmethod
    def from_plain(cls, base: Potential, rule: dict[str, Any]) -> AdaptedEach:
        """Build it from what :meth:`save` wrote."""
        if not isinstance(base, TrainablePotential):
            raise ModelError(f"{base.name} holds no weights that could be replaced")
        return cls(base, [_member(one) for one in rule["members"]])

    def _state(self, place: int) -> State:
        return {**self._start, **self.members[place].weights}


def changed(start: State, end: State) -> State:
    """The tensors that differ."""
    return {name: value for name, value in end.items() if not torch.equal(value, start[name])}


def _same(first: Atoms, second: Atoms) -> bool:
    return (
        np.array_equal(first.numbers, second.numbers)
        and np.array_equal(first.pbc, second.pbc)
        and np.allclose(first.positions, second.positions, rtol=0.0, atol=TOLERANCE)
        and np.allclose(first.cell.array, second.cell.array, rtol=0.0, atol=TOLERANCE)
        and first.info.get("charge", 0) == second.info.get("charge", 0)
        and first.info.get("spin") == second.info.get("spin")
    )


def _plain(member: Adapted) -> dict[str, Any]:
    atoms = member.atoms
    return {
        "numbers": torch.from_numpy(atoms.numbers.astype(np.int64)),
        "positions": torch.from_numpy(atoms.positions.copy()),
        "cell": torch.from_numpy(atoms.cell.array.copy()),
        "pbc": [bool(axis) for axis in atoms.pbc],
        "info": {k: float(atoms.info[k]) for k in ("charge", "spin") if k in atoms.info},
        "weights": member.weights,
    }


def _member(plain: dict[str, Any]) -> Adapted:
    numbers, positions, cell = (
        plain[key].cpu().numpy() for key in ("numbers", "positions", "cell")
    )
    atoms = Atoms(numbers, positions, cell=cell, pbc=plain["pbc"], info=plain["info"])
    return Adapted(without_labels([atoms])[0], plain["weights"])
