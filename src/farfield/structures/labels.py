"""Energies and forces beside a structure, each set under a name and a level of theory.

The user's type is :class:`ase.Atoms`. Labels live in ``atoms.info`` and ``atoms.arrays``
under ``{name}_energy`` (eV), ``{name}_forces`` (eV/Å), ``{name}_stress`` (eV/Å³, ASE's
sign and Voigt order) and ``{name}_level_of_theory``. Reference labels have the name
``REF``; those of a prior ``farfield_PRIOR``. Two levels of theory never share a name.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from ase import Atoms
from ase.data import chemical_symbols

from farfield.errors import LabelError

REFERENCE = "REF"
UNKNOWN_LEVEL = "unknown"
_KEPT_INFO = ("charge", "spin", "farfield_file", "farfield_index")


@dataclass(frozen=True)
class Labels:
    """Labels of one structure of N atoms at one level of theory.

    Attributes
    ----------
    energy
        Total energy, eV; None when not known.
    forces
        Forces, shape (N, 3), eV/Å; None when not known.
    stress
        Stress, shape (6,), eV/Å³, Voigt order xx yy zz yz xz xy; None when not known.
    level_of_theory
        For example ``"GFN2-xTB"``; labels of different levels must not be mixed.
    """

    energy: float | None
    forces: npt.NDArray[np.float64] | None
    stress: npt.NDArray[np.float64] | None = None
    level_of_theory: str = UNKNOWN_LEVEL

    @property
    def known_forces(self) -> npt.NDArray[np.float64]:
        """The forces, shape (N, 3), eV/Å; an error when they are not known."""
        if self.forces is None:
            raise LabelError("forces (eV/Å) are needed, and these labels have none")
        return self.forces

    @property
    def known_energy(self) -> float:
        """The energy, eV; an error when it is not known."""
        if self.energy is None:
            raise LabelError("an energy (eV) is needed, and these labels have none")
        return self.energy


def attach(atoms: Atoms, labels: Labels, name: str = REFERENCE) -> None:
    """Store ``labels`` in ``atoms`` under ``name``, in place of any that had that name."""
    for key in ("energy", "stress", "level_of_theory"):
        atoms.info.pop(f"{name}_{key}", None)
    atoms.arrays.pop(f"{name}_forces", None)
    if labels.energy is not None:
        atoms.info[f"{name}_energy"] = float(labels.energy)
    if labels.forces is not None:
        atoms.set_array(f"{name}_forces", np.asarray(labels.forces, dtype=float), float, (3,))
    if labels.stress is not None:
        atoms.info[f"{name}_stress"] = np.asarray(labels.stress, dtype=float)
    atoms.info[f"{name}_level_of_theory"] = labels.level_of_theory


def labels_of(atoms: Atoms, name: str = REFERENCE) -> Labels | None:
    """Return the labels stored under ``name``, or None when there are none."""
    energy = atoms.info.get(f"{name}_energy")
    forces = atoms.arrays.get(f"{name}_forces")
    stress = atoms.info.get(f"{name}_stress")
    if energy is None and forces is None and stress is None:
        return None
    return Labels(
        energy=None if energy is None else float(energy),
        forces=None if forces is None else np.array(forces, dtype=float),
        stress=None if stress is None else np.array(stress, dtype=float),
        level_of_theory=str(atoms.info.get(f"{name}_level_of_theory", UNKNOWN_LEVEL)),
    )


def require_labels(
    structures: Sequence[Atoms], name: str = REFERENCE, *, energy: bool = False, purpose: str
) -> list[Labels]:
    """Return the labels of every structure; forces (and energies) must be there and finite.

    Raises
    ------
    LabelError
        If a structure lacks them, if one is not finite, or if levels of theory differ.
    """
    found = []
    for atoms in structures:
        labels = labels_of(atoms, name)
        if labels is None or labels.forces is None or (energy and labels.energy is None):
            wanted = "an energy and forces" if energy else "forces"
            raise LabelError(
                f"{describe(atoms)} has no {name!r} label with {wanted}, which {purpose} needs: "
                f"store them as {name}_energy (eV) and {name}_forces (eV/Å)"
            )
        finite = np.isfinite(labels.forces).all() and np.isfinite(labels.energy or 0.0)
        if not finite:
            raise LabelError(f"{describe(atoms)}: its {name!r} label is not a finite number")
        found.append(labels)
    single_level(found, purpose)
    return found


def single_level(labels: Iterable[Labels], purpose: str) -> str:
    """Return the one level of theory of ``labels``; two levels are an error."""
    levels = sorted({label.level_of_theory for label in labels})
    if len(levels) > 1:
        raise LabelError(
            f"{purpose} was given labels of {len(levels)} levels of theory "
            f"({'; '.join(levels)}): they must not be mixed, pass one level at a time"
        )
    return levels[0] if levels else UNKNOWN_LEVEL


def without_labels(structures: Sequence[Atoms]) -> list[Atoms]:
    """Copies that hold geometry, charge and spin alone: nothing of a label is reachable.

    Everything that runs at test time receives its structures through this function.
    """
    bare = []
    for atoms in structures:
        copy = Atoms(
            numbers=atoms.numbers, positions=atoms.positions, cell=atoms.cell, pbc=atoms.pbc
        )
        copy.info.update({key: atoms.info[key] for key in _KEPT_INFO if key in atoms.info})
        bare.append(copy)
    return bare


def describe(atoms: Atoms) -> str:
    """Name a structure for an error message: file, index and formula."""
    if len(atoms) == 0:
        formula = "a structure without atoms"
    elif atoms.numbers.min() < 0 or atoms.numbers.max() >= len(chemical_symbols):
        formula = f"{len(atoms)} atoms"  # no formula: an atomic number has no symbol
    else:
        formula = atoms.get_chemical_formula()
    if "farfield_file" in atoms.info:
        index = atoms.info.get("farfield_index", "?")
        return f"{atoms.info['farfield_file']}, structure {index} ({formula})"
    return f"structure {formula}"
