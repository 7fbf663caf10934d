"""A model that computes nothing twice: a study asks for the same forces again and again."""

from __future__ import annotations

from collections.abc import Sequence
from typing import final

from ase import Atoms
from ase.calculators.calculator import Calculator

from farfield.potentials import Potential, Prediction
from farfield.potentials.contract import CutoffMode
from farfield.potentials.wrapped import WrappedPotential
from farfield.priors.cache import key_of


@final
class Remembered(WrappedPotential):
    """Any model, with its predictions and its views at other radii kept in memory.

    ``modes`` limits the cutoff modes that it offers; None leaves all.
    """

    def __init__(self, base: Potential, modes: frozenset[CutoffMode] | None = None) -> None:
        super().__init__(base)
        self.capabilities = base.capabilities
        self.cutoff_modes = base.cutoff_modes if modes is None else modes
        self._known: dict[tuple[str, str], Prediction] = {}
        self._views: dict[tuple[float, CutoffMode], Remembered] = {}

    @property
    def name(self) -> str:
        return self.base.name

    def predict(self, structures: Sequence[Atoms], head: str | None = None) -> list[Prediction]:
        keys = [(key_of(atoms, ""), self.main_head(head)) for atoms in structures]
        new = dict(zip(keys, structures, strict=True))
        new = {key: atoms for key, atoms in new.items() if key not in self._known}
        if new:
            self._known |= zip(new, self.base.predict(list(new.values()), head), strict=True)
        return [self._known[key] for key in keys]

    def with_cutoff(self, cutoff: float, mode: CutoffMode) -> Potential:
        key = (cutoff, mode)
        if key not in self._views:
            self._views[key] = Remembered(self.base.with_cutoff(cutoff, mode))
        return self._views[key]

    def calculator(self, head: str | None = None) -> Calculator:
        return self.base.calculator(head)
