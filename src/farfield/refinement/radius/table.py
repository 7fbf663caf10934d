"""A radius for each composition, chosen once: a prediction then costs neither search nor prior."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, final

from ase import Atoms

from farfield.potentials import Potential
from farfield.potentials.contract import CutoffMode
from farfield.refinement.radius.at_radii import AtRadii
from farfield.structures import composition

KIND = "radius-by-composition"


@final
@dataclass(frozen=True)
class RadiusTable:
    """Radii by composition.

    Attributes
    ----------
    mode
        How the radius is changed.
    radii
        By composition (:func:`farfield.structures.composition`), Å.
    training_radius
        Of all other compositions, Å.
    """

    mode: CutoffMode
    radii: Mapping[str, float]
    training_radius: float

    def radius(self, atoms: Atoms) -> float:
        """The radius of a structure, Å."""
        return self.radii.get(composition(atoms), self.training_radius)

    def to_plain(self) -> dict[str, Any]:
        """Plain values for a model file."""
        return {
            "kind": KIND,
            "mode": self.mode,
            "radii": dict(self.radii),
            "training_radius": self.training_radius,
        }

    @classmethod
    def from_plain(cls, content: Mapping[str, Any]) -> RadiusTable:
        """Build the table from :meth:`to_plain`."""
        return cls(**{key: value for key, value in content.items() if key != "kind"})


@final
class RadiusByComposition(AtRadii):
    """A model with a table of radii; compositions that it lacks keep the training radius.

    Parameters
    ----------
    base
        A model with the table's mode.
    table
        The radii.
    """

    def __init__(self, base: Potential, table: RadiusTable) -> None:
        super().__init__(base, table.mode, table.training_radius)
        self.table = table

    def radii(self, structures: Sequence[Atoms]) -> list[float]:
        return [self.table.radius(atoms) for atoms in structures]

    def save(self, path: Path) -> None:
        self.save_base(path, self.table.to_plain())
