"""Parts of a training set that can be left out: whole compositions, so that they are unseen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ase import Atoms

from farfield.structures.splitting import folds

INSIDE_PARTS = 6  # one sixth of the structures of the other groups is held out too


@dataclass(frozen=True)
class LeftOut:
    """Training without one group of compositions.

    Attributes
    ----------
    group
        The compositions that are left out.
    train
        Indices of the structures to train on.
    inside
        Indices of held-out structures of compositions that are trained on.
    outside
        Indices of the structures of the group: compositions never trained on.
    """

    group: frozenset[str]
    train: list[int]
    inside: list[int]
    outside: list[int]


def leave_groups_out(structures: Sequence[Atoms], parts: int, seed: int = 0) -> list[LeftOut]:
    """Leave out, in turn, each of ``parts`` groups of compositions.

    Isolated atoms always stay in training. A group is skipped when training would lose an
    element without it, and so is the only group: fewer than ``parts`` may come back, or none.
    """
    alone = [len(atoms) == 1 and not atoms.pbc.any() for atoms in structures]
    formulas = [str(atoms.get_chemical_formula()) for atoms in structures]
    known = sorted({f for f, single in zip(formulas, alone, strict=True) if not single})
    species = {number for atoms in structures for number in atoms.numbers}
    found = []
    for places in folds(len(known), parts, seed):
        group = frozenset(known[place] for place in places)
        left = [i for i, f in enumerate(formulas) if alone[i] or f not in group]
        molecules = [index for index in left if not alone[index]]
        held_out = folds(len(molecules), INSIDE_PARTS, seed)[0] if molecules else []
        inside = {molecules[place] for place in held_out}
        train = [index for index in left if index not in inside]
        if (
            not set(molecules) - inside
            or {n for i in train for n in structures[i].numbers} < species
        ):
            continue
        outside = [i for i, f in enumerate(formulas) if not alone[i] and f in group]
        found.append(LeftOut(group, train, sorted(inside), outside))
    return found
