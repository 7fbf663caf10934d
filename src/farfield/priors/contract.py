"""The contract of a prior: cheap physics that labels any structure with energy and forces."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Literal

import numpy as np
from ase import Atoms
from ase.calculators.calculator import Calculator
from ase.data import chemical_symbols

from farfield.errors import CapabilityError
from farfield.structures import Labels, describe, without_labels


@dataclass(frozen=True)
class Failure:
    """Why a prior gave no labels for one structure; recorded, never replaced by a zero."""

    reason: str


class Prior(ABC):
    """Cheap physics with energies in eV and forces in eV/Å.

    A subclass is final and declares its attributes; :meth:`calculator` is all it computes.
    Run :func:`farfield.testing.check_prior` on it.

    Attributes
    ----------
    name
        A word fit for file and key names, such as ``"gfn2"``; labels are stored under
        ``farfield_{name}_energy`` and ``farfield_{name}_forces``.
    level_of_theory
        The full name, such as ``"GFN2-xTB (tblite)"``; part of the cache's key.
    elements
        Atomic numbers it has parameters for; None when it takes every element.
    periodic
        Whether it takes periodic structures.
    conservative
        Whether its forces are the gradient of its energy.
    cost
        ``"cheap"`` (below 1 ms for 20 atoms), ``"moderate"`` (below 1 s) or ``"costly"``.
    """

    name: str
    level_of_theory: str
    elements: frozenset[int] | None
    periodic: bool
    conservative: bool
    cost: Literal["cheap", "moderate", "costly"]

    @abstractmethod
    def calculator(self) -> Calculator:
        """Return a new ASE calculator of this prior.

        Raises
        ------
        DependencyError
            The package behind it is not installed; the message gives the install command.
        """

    @property
    def label_name(self) -> str:
        """The name under which its labels are stored in a structure."""
        return f"farfield_{self.name}"

    def refusal(self, atoms: Atoms) -> str | None:
        """Return why this prior cannot take ``atoms``, or None when it can."""
        if self.elements is not None:
            missing = sorted(set(atoms.symbols.species()) - self._symbols())
            if missing:
                return f"{self.name} has no parameters for {', '.join(missing)}"
        if atoms.pbc.any() and not self.periodic:
            return f"{self.name} takes no periodic structure"
        return None

    def _symbols(self) -> set[str]:
        return {chemical_symbols[number] for number in self.elements or ()}


def compute(prior: Prior, atoms: Atoms, calculator: Calculator | None = None) -> Labels | Failure:
    """Label one structure; whatever goes wrong comes back as a :class:`Failure`.

    The labels of a structure that is periodic in all directions hold the stress too, where the
    prior's calculator gives it along with the forces.

    Parameters
    ----------
    prior, atoms
        The prior and the structure, which is not changed. Geometry, charge and spin are all
        that is used of it: not its constraints, initial charges or magnetic moments.
    calculator
        A calculator of this prior to use again; None makes a new one.
    """
    refusal = prior.refusal(atoms)
    if refusal:
        return Failure(refusal)
    copy = without_labels([atoms])[0]
    copy.calc = calculator if calculator is not None else prior.calculator()
    try:
        energy = float(copy.get_potential_energy())
        forces = np.asarray(copy.get_forces(), dtype=float)
    except Exception as error:  # noqa: BLE001 - calculators raise any type; the reason is kept
        reason = " ".join(str(error).split())
        return Failure(f"{type(error).__name__}: {reason}"[:300])
    if not (np.isfinite(energy) and np.isfinite(forces).all()):
        return Failure("energy or forces are not finite")
    stress = copy.calc.results.get("stress") if copy.pbc.all() else None
    if stress is not None and not np.isfinite(stress).all():
        return Failure("the stress is not finite")
    return Labels(energy, forces, stress, prior.level_of_theory)


def require(labels: Labels | Failure, atoms: Atoms, prior: Prior) -> Labels:
    """Return the labels, or raise with the reason of the failure."""
    if isinstance(labels, Failure):
        raise CapabilityError(f"{describe(atoms)}: {prior.name} gave no labels: {labels.reason}")
    return labels
