"""Refuse a structure that declares its labels or positions in units other than eV and Å."""

from __future__ import annotations

from ase import Atoms

from farfield.errors import StructureError
from farfield.structures.labels import describe

_ENERGY = frozenset({"ev", "electronvolt", "electronvolts"})
_LENGTH = frozenset({"å", "a", "ang", "angstrom", "angstroms", "ångström", "ångstrom"})
_FORCE = frozenset(
    f"{energy}{per}{length}" for energy in _ENERGY for per in ("/", " per ") for length in _LENGTH
)
_STRESS = frozenset(f"{force}{power}" for force in _FORCE for power in ("^3", "**3", "3", "³"))
_ANY = _ENERGY | _LENGTH | _FORCE | _STRESS
_ALLOWED = {
    **dict.fromkeys(("unit", "units"), _ANY),
    **dict.fromkeys(("energy_unit", "energy_units"), _ENERGY),
    **dict.fromkeys(("force_unit", "force_units", "forces_unit", "forces_units"), _FORCE),
    **dict.fromkeys(("stress_unit", "stress_units"), _STRESS),
    **dict.fromkeys(
        ("length_unit", "length_units", "position_unit", "positions_unit", "distance_unit"),
        _LENGTH,
    ),
}


def refuse_foreign_units(atoms: Atoms) -> None:
    """Raise if ``atoms.info`` declares other units; keys such as ``energy_unit`` do so.

    Raises
    ------
    StructureError
        For example for ``energy_unit=Hartree`` or ``units="kcal/mol"``.
    """
    for key, declared in atoms.info.items():
        allowed = _ALLOWED.get(str(key).lower())
        if allowed is None or not isinstance(declared, str):
            continue
        words = [word.strip().lower() for word in declared.replace(";", ",").split(",")]
        if not all(word in allowed for word in words):
            raise StructureError(
                f"{describe(atoms)} declares {key}={declared!r}: "
                "convert it to eV and Å, and remove or correct the declaration"
            )
