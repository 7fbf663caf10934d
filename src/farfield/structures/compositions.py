"""What a structure is made of, as a key: structures of one composition are one system."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

import numpy as np
from ase import Atoms


def composition(atoms: Atoms) -> str:
    """Formula in Hill's order; of a periodic structure that of one formula unit, in any cell."""
    formula = atoms.symbols.formula
    if atoms.pbc.any():
        formula, _ = formula.reduce()
    return str(formula.format("hill"))


def some_of_each(structures: Sequence[Atoms], most: int) -> list[Atoms]:
    """At most so many structures of each composition, evenly spaced, in the order given."""
    places: dict[str, list[int]] = defaultdict(list)
    for place, atoms in enumerate(structures):
        places[composition(atoms)].append(place)
    chosen: list[int] = []
    for of_one in places.values():
        steps = np.linspace(0, len(of_one) - 1, min(most, len(of_one)))
        chosen += [of_one[round(step)] for step in steps]
    return [structures[place] for place in sorted(chosen)]
