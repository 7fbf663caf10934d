"""The units of a data set's files, and their values in eV and Å."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import final

from ase import units as ase_units

from farfield.errors import DatasetError, did_you_mean

ENERGIES: Mapping[str, float] = MappingProxyType(
    {
        "eV": 1.0,
        "kcal/mol": ase_units.kcal / ase_units.mol,
        "kJ/mol": ase_units.kJ / ase_units.mol,
        "Hartree": ase_units.Hartree,
        "Rydberg": ase_units.Rydberg,
    }
)
LENGTHS: Mapping[str, float] = MappingProxyType({"Å": 1.0, "Bohr": ase_units.Bohr, "nm": 10.0})
_SPELLINGS = {
    "ang": "Å",
    "angstrom": "Å",
    "a": "Å",
    "ha": "Hartree",
    "au": "Hartree",
    **{name.lower(): name for name in (*ENERGIES, *LENGTHS)},
}


@final
@dataclass(frozen=True)
class Units:
    """Units of energy and length; forces are in energy per length.

    Attributes
    ----------
    energy
        One of :data:`ENERGIES`.
    length
        One of :data:`LENGTHS`.
    """

    energy: str = "eV"
    length: str = "Å"

    def __post_init__(self) -> None:
        """Refuse what is not known."""
        for name, known in ((self.energy, ENERGIES), (self.length, LENGTHS)):
            if name not in known:
                raise DatasetError(f"unknown unit {name!r}{did_you_mean(name, known)}")

    @property
    def to_ev(self) -> float:
        """An energy of 1 in eV."""
        return ENERGIES[self.energy]

    @property
    def to_angstrom(self) -> float:
        """A length of 1 in Å."""
        return LENGTHS[self.length]

    @property
    def to_ev_per_angstrom(self) -> float:
        """A force of 1 in eV/Å."""
        return self.to_ev / self.to_angstrom

    def confirm(self, where: str, *, energy: str = "", length: str = "") -> None:
        """Raise unless the units that a file declares are these; an empty word declares nothing.

        Raises
        ------
        DatasetError
            They differ, or are not known.
        """
        for declared, expected in ((energy, self.energy), (length, self.length)):
            if not declared:
                continue
            meant = _SPELLINGS.get(declared.strip().lower())
            if meant is None:
                raise DatasetError(
                    f"{where} declares the unit {declared!r}, which is not known: "
                    f"this data set is in {expected}"
                )
            if meant != expected:
                raise DatasetError(
                    f"{where} declares {declared}, and this data set is in {expected}: "
                    "is it another version of the file?"
                )
