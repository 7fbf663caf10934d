"""Which labels of a file are the reference labels, and their move to ``REF_*``.

The rule, first match wins:

1. ``REF_energy``, ``REF_forces``, ``REF_stress``. If any of them is there, no other
   spelling is looked at: two sets of labels are never mixed.
2. ``energy``, ``forces`` and ``stress`` as ASE reads them from any format, or one of the
   other spellings below in upper or lower case. Two spellings with different values are an
   error. ``free_energy`` is taken only when no other energy is there.

A single atom without periodic boundaries feels no force: if it has an energy, its forces are
zero by symmetry and need not be given.

Everything is taken to be in eV and Å: a file cannot be asked, unless it declares its units.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
from ase import Atoms
from ase.calculators.calculator import Calculator

from farfield.errors import StructureError
from farfield.structures.labels import REFERENCE, UNKNOWN_LEVEL, Labels, attach, describe

ENERGY = ("energy", "ref_energy", "dft_energy", "total_energy", "totenergy")
FORCES = ("forces", "ref_forces", "dft_forces", "force", "dft_force")
STRESS = ("stress", "ref_stress", "dft_stress")
LEVEL = ("level_of_theory", "theory")
_VOIGT = ((0, 0), (1, 1), (2, 2), (1, 2), (0, 2), (0, 1))


def name_reference(atoms: Atoms) -> None:
    """Move the reference labels of ``atoms`` to ``REF_*``, in place, and drop its calculator.

    Of a calculator only results that belong to the present geometry are taken; nothing is
    computed.

    Raises
    ------
    StructureError
        A label has an impossible type or shape, or two spellings disagree.
    """
    results = _results(atoms)
    atoms.calc = None
    named = any(f"{REFERENCE}_{kind}" in atoms.info for kind in ("energy", "stress"))
    if named or f"{REFERENCE}_forces" in atoms.arrays:
        energy = atoms.info.get(f"{REFERENCE}_energy")
        forces = atoms.arrays.get(f"{REFERENCE}_forces")
        stress = atoms.info.get(f"{REFERENCE}_stress")
    else:
        energy = _taken(ENERGY, atoms, atoms.info, results)
        if energy is None:
            energy = results.get("free_energy")
        forces = _taken(FORCES, atoms, atoms.arrays, results)
        stress = _taken(STRESS, atoms, atoms.info, results)
    if energy is None and forces is None and stress is None:
        return
    if forces is None and energy is not None and len(atoms) == 1 and not atoms.pbc.any():
        forces = np.zeros((1, 3))
    labels = Labels(
        None if energy is None else _energy(energy, atoms),
        None if forces is None else _forces(forces, atoms),
        None if stress is None else _stress(stress, atoms),
        _level(atoms),
    )
    attach(atoms, labels)


def _results(atoms: Atoms) -> dict[str, Any]:
    calculator = atoms.calc
    if not isinstance(calculator, Calculator) or calculator.check_state(atoms):
        return {}
    return dict(calculator.results)


def _taken(
    spellings: tuple[str, ...], atoms: Atoms, stored: dict[str, Any], results: Mapping[str, Any]
) -> Any:
    """Return the value under the one spelling in use, and remove it from ``stored``."""
    found = {key: value for key, value in results.items() if key in spellings}
    for key in [key for key in stored if key.lower() in spellings]:
        found[key] = stored.pop(key)
    values = iter(found.items())
    first_key, first = next(values, (None, None))
    for key, value in values:
        if not _same(first, value):
            raise StructureError(
                f"{describe(atoms)} has both {first_key!r} and {key!r}, which differ: "
                f"rename the reference labels to {REFERENCE}_energy, {REFERENCE}_forces"
            )
    return first


def _same(first: Any, second: Any) -> bool:
    try:
        return bool(np.allclose(first, second, rtol=0.0, atol=1e-6, equal_nan=True))
    except (TypeError, ValueError):
        return False


def _level(atoms: Atoms) -> str:
    for key in (f"{REFERENCE}_level_of_theory", *LEVEL):
        if key in atoms.info:
            return str(atoms.info[key])
    return UNKNOWN_LEVEL


def _numbers(value: Any, what: str, atoms: Atoms) -> npt.NDArray[np.float64]:
    array = np.asarray(value)
    if array.dtype.kind not in "iuf":
        raise StructureError(f"{describe(atoms)}: its {what} is not a number: {value!r}"[:200])
    return array.astype(float)


def _energy(value: Any, atoms: Atoms) -> float:
    array = _numbers(value, "energy", atoms)
    if array.size != 1:
        raise StructureError(f"{describe(atoms)}: its energy is {array.size} numbers, not one")
    return float(array.reshape(()))


def _forces(value: Any, atoms: Atoms) -> npt.NDArray[np.float64]:
    array = _numbers(value, "force label", atoms)
    if array.shape != (len(atoms), 3):
        raise StructureError(
            f"{describe(atoms)}: its forces have the shape {array.shape}, "
            f"not ({len(atoms)}, 3): one row of x, y, z for each atom"
        )
    return array


def _stress(value: Any, atoms: Atoms) -> npt.NDArray[np.float64]:
    array = _numbers(value, "stress", atoms)
    if array.shape == (6,):
        return array
    if array.size == 9:
        matrix = array.reshape(3, 3)
        return np.array([matrix[index] for index in _VOIGT])
    raise StructureError(
        f"{describe(atoms)}: its stress has the shape {array.shape}: "
        "give six numbers (xx yy zz yz xz xy) or nine"
    )
