"""Which structures of a file belong to a set: conditions, then a slice of a seeded shuffle."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from ase import Atoms
from ase.data import atomic_numbers
from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from farfield.errors import ConfigError
from farfield.structures import describe, labels_of

Plain = str | int | float | bool


class Range(BaseModel):
    """Numbers from one limit, itself included, up to another."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    at_least: float | None = None
    below: float | None = None

    @model_validator(mode="after")
    def _has_a_limit(self) -> Range:
        if self.at_least is None and self.below is None:
            raise ValueError("a range needs at_least, below, or both")
        return self

    def holds(self, value: float) -> bool:
        """Whether a number lies in it."""
        return not (
            (self.at_least is not None and value < self.at_least)
            or (self.below is not None and value >= self.below)
        )


class Conditions(BaseModel):
    """What a structure must fulfil; all that is given counts."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    force_norm: Range | None = Field(
        default=None, description="mean over the atoms of the norm of the reference force, eV/Å"
    )
    force_norm_quantile: Range | None = Field(
        default=None,
        description="rank by force norm among those that fulfil all else: 0 to 1, not included",
    )
    n_atoms: Range | None = Field(default=None, description="number of atoms")
    contains: tuple[str, ...] = Field(default=(), description="elements that must be in it")
    lacks: tuple[str, ...] = Field(default=(), description="elements that must not be in it")
    info: dict[str, Range | Plain] = Field(
        default_factory=dict, description="keys of the structure's info: a value, or a range"
    )

    @field_validator("contains", "lacks")
    @classmethod
    def _elements(cls, symbols: tuple[str, ...]) -> tuple[str, ...]:
        for symbol in symbols:
            if symbol not in atomic_numbers:
                raise ValueError(f"no element has the symbol {symbol!r}")
        return symbols

    def choose(self, structures: Sequence[Atoms]) -> list[Atoms]:
        """Those that fulfil them, in their order."""
        found = [atoms for atoms in structures if self.hold(atoms)]
        if self.force_norm_quantile is None:
            return found
        ranks = np.argsort(np.argsort([_force_norm(atoms) for atoms in found], kind="stable"))
        quantiles = ranks / max(len(found), 1)
        holds = self.force_norm_quantile.holds
        return [atoms for atoms, at in zip(found, quantiles, strict=True) if holds(at)]

    def hold(self, atoms: Atoms) -> bool:
        """Whether a structure fulfils them, as far as it can be said of one alone."""
        there = set(atoms.get_chemical_symbols())
        return (
            (self.n_atoms is None or self.n_atoms.holds(len(atoms)))
            and set(self.contains) <= there
            and not set(self.lacks) & there
            and all(_matches(atoms, key, wanted) for key, wanted in self.info.items())
            and (self.force_norm is None or self.force_norm.holds(_force_norm(atoms)))
        )


class Selection(BaseModel):
    """Structures of one file; slices of its shuffle are disjoint.

    The shuffle is fixed by the file's name, so a selection names the same structures on every
    machine.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    file: str = Field(
        description="embedded:NAME; a reference to a data set; or a path, below the task file's "
        "folder or the data folder"
    )
    where: Conditions = Field(default=Conditions(), description="before anything is counted")
    first: int = Field(default=0, ge=0, description="where the slice begins")
    count: int | None = Field(default=None, ge=1, description="its length; the rest if absent")

    def choose(self, structures: Sequence[Atoms]) -> list[Atoms]:
        """The chosen ones among all structures of the file.

        Raises
        ------
        ConfigError
            There are fewer than the slice asks for, or none.
        """
        found = self.where.choose(structures)
        if self.count is not None or self.first > 0:
            order = np.random.default_rng(sum(self.file.encode())).permutation(len(found))
            stop = len(found) if self.count is None else self.first + self.count
            if stop > len(found):
                raise ConfigError(f"{self.file} holds {self._what(len(found))}, not {stop}")
            found = [found[place] for place in order[self.first : stop]]
        if not found:
            raise ConfigError(f"{self.file} holds {self._what(0)}, from {self.first} on")
        return found

    def _what(self, count: int) -> str:
        kind = "" if self.where == Conditions() else " that fulfil the task's conditions"
        return f"{count} structures{kind}"


def evenly(structures: list[Atoms], most: int | None) -> list[Atoms]:
    """At most so many structures, evenly spaced, so that every part of the list is there."""
    if most is None or len(structures) <= most:
        return structures
    places = np.linspace(0, len(structures) - 1, most).round().astype(int)
    return [structures[place] for place in places]


def _matches(atoms: Atoms, key: str, wanted: Range | Plain) -> bool:
    if key not in atoms.info:
        return False
    value: Any = atoms.info[key]
    if isinstance(wanted, Range):
        return wanted.holds(float(value))
    return bool(value == wanted)


def _force_norm(atoms: Atoms) -> float:
    labels = labels_of(atoms)
    if labels is None or labels.forces is None:
        raise ConfigError(
            f"{describe(atoms)} has no reference forces, and the task selects by force_norm"
        )
    return float(np.linalg.norm(labels.forces, axis=1).mean())
