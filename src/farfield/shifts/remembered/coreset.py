"""Labelled training structures that a profile keeps on request, to be replayed later."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, final

import numpy as np
import numpy.typing as npt
from ase import Atoms

from farfield.errors import ConfigError, ProfileError, did_you_mean
from farfield.shifts.observation import Observation
from farfield.structures import Labels, attach, require_labels

Array = npt.NDArray[Any]
Floats = npt.NDArray[np.float64]

FARTHEST, LOSS = "farthest", "loss"
WAYS = (FARTHEST, LOSS)
CANDIDATES = 10  # structures, per one that is kept, among which the farthest are sought
_ELECTRONS = ("charge", "spin")


@final
@dataclass(frozen=True)
class Kept:
    """One labelled structure, and what it is chosen by.

    Attributes
    ----------
    key
        Of its geometry (:func:`farfield.graphs.content_key`).
    atoms
        Geometry, charge and spin, with its reference energy and forces.
    features
        Mean of the node features over its atoms, shape (F,).
    loss
        Mean squared error of the model's force components, (eV/Å)².
    """

    key: int
    atoms: Atoms
    features: npt.NDArray[np.float32]
    loss: float


@final
class Coreset:
    """At most ``most`` training structures with their reference labels.

    ``"farthest"``: farthest-point selection (Gonzalez 1985) by the mean node features, from the
    structure nearest to their mean; among a random sample of ten times as many structures, drawn
    by key. ``"loss"``: those with the largest force error of the model. Neither depends on the
    order in which structures come.

    Parameters
    ----------
    most
        Number of structures to keep.
    by
        ``"farthest"`` or ``"loss"``.

    Raises
    ------
    ConfigError
        An unknown way to choose, or fewer than two structures.
    """

    def __init__(self, most: int, by: str = FARTHEST) -> None:
        if by not in WAYS:
            raise ConfigError(f"unknown way {by!r} to choose a coreset{did_you_mean(by, WAYS)}")
        if most < 2:
            raise ConfigError(f"a coreset of {most}: at least 2 structures, of which one is judged")
        self.most = most
        self.by = by
        self.level_of_theory = ""
        self._entries: dict[int, Kept] = {}

    @property
    def settings(self) -> dict[str, Any]:
        """How it was asked for, as plain values."""
        return {"most": self.most, "by": self.by}

    @property
    def keys(self) -> list[int]:
        """Keys of its structures, ascending."""
        return list(self._entries)

    @property
    def structures(self) -> list[Atoms]:
        """Copies of its structures, with reference labels."""
        return [entry.atoms.copy() for entry in self._entries.values()]

    def __len__(self) -> int:
        return len(self._entries)

    @property
    def n_bytes(self) -> int:
        """What it takes before compression."""
        return sum(values.nbytes for values in self.arrays().values())

    def add(self, atoms: Atoms, seen: Observation) -> None:
        """Look at one labelled training structure.

        Raises
        ------
        LabelError
            It has no reference energy and forces, or they are not finite numbers.
        ProfileError
            The model gives no node features, by which the farthest are chosen.
        """
        labels = require_labels([atoms], energy=True, purpose="a coreset")[0]
        assert seen.forces is not None  # the verb asks for a model
        if seen.features is None and self.by == FARTHEST:
            raise ProfileError(
                "the farthest structures are chosen by node features, which this model does not "
                f"give: choose them by {LOSS!r}"
            )
        features = np.zeros(0) if seen.features is None else seen.features.mean(axis=0)
        loss = float(np.mean((seen.forces - labels.known_forces) ** 2))
        self.level_of_theory = labels.level_of_theory
        self._take(Kept(seen.key, _bare(atoms, labels), features.astype(np.float32), loss))
        if len(self._entries) >= 2 * CANDIDATES * self.most:
            self._thin()

    def settle(self) -> Coreset:
        """Keep what was asked for, in the order of the keys; returns itself."""
        self._thin()
        entries = [self._entries[key] for key in sorted(self._entries)]
        if self.by == FARTHEST and len(entries) > self.most:
            places = farthest(np.stack([entry.features for entry in entries]), self.most)
            entries = [entries[place] for place in sorted(places)]
        self._entries = {entry.key: entry for entry in entries}
        return self

    def merged(self, others: Sequence[Coreset]) -> Coreset:
        """The coreset of all that this one and others hold, in whatever order they come."""
        whole = Coreset(self.most, self.by)
        for part in (self, *others):
            whole.level_of_theory = whole.level_of_theory or part.level_of_theory
            for entry in part._entries.values():
                whole._take(entry)
        return whole.settle()

    def _take(self, entry: Kept) -> None:
        """Of two with one geometry (their charges may differ) that with the lower energy."""
        known = self._entries.get(entry.key)
        if known is None or entry.atoms.info["REF_energy"] < known.atoms.info["REF_energy"]:
            self._entries[entry.key] = entry

    def _thin(self) -> None:
        """Drop what cannot be chosen any more."""
        entries = sorted(self._entries.values(), key=lambda entry: entry.key)
        if self.by == LOSS:
            entries = sorted(entries, key=lambda entry: -entry.loss)[: self.most]
        else:
            entries = entries[: CANDIDATES * self.most]
        self._entries = {entry.key: entry for entry in entries}

    def arrays(self) -> dict[str, Array]:
        """Everything as arrays by name, for the file of a profile."""
        entries = list(self._entries.values())
        atoms = [entry.atoms for entry in entries]
        table: dict[str, Array] = {
            "keys": np.array(self.keys, dtype=np.uint64),
            "lengths": np.array([len(one) for one in atoms]),
            "cells": np.array([np.asarray(one.cell) for one in atoms]),
            "periodic": np.array([one.pbc for one in atoms]),
            "energies": np.array([one.info["REF_energy"] for one in atoms]),
            "losses": np.array([entry.loss for entry in entries]),
            "features": np.stack([entry.features for entry in entries]),
            "numbers": np.concatenate([one.numbers for one in atoms]).astype(np.uint8),
            "positions": np.concatenate([one.positions for one in atoms]),
            "forces": np.concatenate([one.arrays["REF_forces"] for one in atoms]),
            "level_of_theory": np.array(self.level_of_theory),
        }
        for name in _ELECTRONS:
            table[name] = np.array([float(one.info.get(name, np.nan)) for one in atoms])
        return table

    @classmethod
    def from_arrays(cls, table: Mapping[str, Array], settings: Mapping[str, Any]) -> Coreset:
        """The coreset that :meth:`arrays` and :attr:`settings` tell."""
        found = cls(**settings)
        found.level_of_theory = str(table["level_of_theory"])
        cuts = np.cumsum(table["lengths"])[:-1]
        ragged = [np.split(table[name], cuts) for name in ("numbers", "positions", "forces")]
        for place, (numbers, positions, forces) in enumerate(zip(*ragged, strict=True)):
            atoms = Atoms(
                numbers, positions, cell=table["cells"][place], pbc=table["periodic"][place]
            )
            for name in _ELECTRONS:
                if np.isfinite(value := float(table[name][place])):
                    atoms.info[name] = int(value) if value.is_integer() else value
            energy = float(table["energies"][place])
            attach(atoms, Labels(energy, forces, level_of_theory=found.level_of_theory))
            key = int(table["keys"][place])
            loss = float(table["losses"][place])
            found._entries[key] = Kept(key, atoms, table["features"][place], loss)
        return found


def merge_coresets(coresets: Sequence[Coreset | None]) -> Coreset | None:
    """The coreset of all parts of a training set; None where no part has one."""
    found = [coreset for coreset in coresets if coreset is not None]
    return found[0].merged(found[1:]) if found else None


def farthest(features: npt.NDArray[np.float32], count: int) -> list[int]:
    """Places of ``count`` rows, each as far as can be from those before it.

    Features (n, F) are taken in standard deviations; the first row is the nearest to the mean.
    """
    values = features.astype(float)
    spread = values.std(axis=0)
    values = (values - values.mean(axis=0)) / np.where(spread > 0.0, spread, 1.0)
    places = [int(np.argmin((values**2).sum(axis=1)))]
    nearest = np.full(len(values), np.inf)
    while len(places) < count:
        nearest = np.minimum(nearest, ((values - values[places[-1]]) ** 2).sum(axis=1))
        places.append(int(np.argmax(nearest)))
    return places


def _bare(atoms: Atoms, labels: Labels) -> Atoms:
    """A copy with its reference energy and forces, charge and spin, and nothing else."""
    copy = Atoms(atoms.numbers, atoms.positions, cell=atoms.cell, pbc=atoms.pbc)
    copy.info.update({key: atoms.info[key] for key in _ELECTRONS if key in atoms.info})
    attach(copy, Labels(labels.energy, labels.forces, level_of_theory=labels.level_of_theory))
    return copy


__all__ = ["FARTHEST", "LOSS", "WAYS", "Coreset", "Kept", "farthest", "merge_coresets"]
