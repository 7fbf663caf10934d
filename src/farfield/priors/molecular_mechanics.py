"""UFF and MMFF94 by RDKit: classical force fields of molecules, bonds perceived."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import Any, Literal, final

import numpy as np
from ase import Atoms
from ase.calculators.calculator import Calculator
from ase.data import atomic_numbers
from ase.units import kcal, mol

from farfield.errors import DependencyError
from farfield.priors.bonds import (
    Bonding,
    Connectivity,
    bonding_of,
    classes_of,
    connectivity_of,
    equivalents,
)
from farfield.priors.contract import Prior
from farfield.priors.function import FunctionCalculator, Results

# Pairs farther apart are left out, Å and multiples of the pair's contact distance: none is.
FAR = 1000.0
CACHE = 256  # connectivities to remember; a trajectory needs one or two


@final
@dataclass(frozen=True)
class _Typed:
    """A molecule with force-field types.

    Attributes
    ----------
    molecule, types
        RDKit's, without a conformer.
    atoms, bonds
        What tells the parameters of each atom and of each bond from others.
    """

    molecule: Any
    types: Any
    atoms: tuple[Any, ...]
    bonds: tuple[Any, ...]


class _MolecularMechanicsPrior(Prior):
    """What the two force fields share.

    Bonds are perceived anew from the geometry of each structure, and bond orders from the
    bonds and ``info["charge"]`` (:mod:`farfield.priors.bonds`). So labels depend on that
    structure alone, and the energy jumps where a bond is seen to break or form. Where
    equivalent atoms can share bond orders in several ways, as in a nitro group, the energies
    of all ways are averaged: the order of the atoms changes nothing. A structure whose bonds
    fit no molecule, or that has an atom without parameters, is a recorded failure.
    """

    periodic = False
    conservative = True
    cost: Literal["cheap", "moderate", "costly"] = "moderate"

    def calculator(self) -> Calculator:
        """Return a new calculator, or raise DependencyError when RDKit is not installed."""
        try:
            from rdkit.Chem import rdForceFieldHelpers  # noqa: F401
        except ImportError as error:
            raise DependencyError("rdkit", "rdkit", f"the prior {self.name!r}") from error
        known: dict[Connectivity, list[_Typed]] = {}  # spares time, changes no result

        def function(atoms: Atoms) -> Results:
            connectivity = connectivity_of(atoms)
            if connectivity not in known:
                if len(known) >= CACHE:
                    known.clear()
                known[connectivity] = self._ways(connectivity)
            return self._mean(known[connectivity], atoms)

        return FunctionCalculator(function)

    def _ways(self, connectivity: Connectivity) -> list[_Typed]:
        """Return the molecule, or all its equivalents where its own types are not symmetric."""
        from rdkit import rdBase

        bonding = bonding_of(connectivity)
        with rdBase.BlockLogs():
            typed = self._typed(bonding)
            if _is_symmetric(typed, connectivity):
                return [typed]
            found = [self._typed(other) for other in equivalents(bonding)]
        return list({(typed.atoms, typed.bonds): typed for typed in found}.values())

    def _mean(self, ways: list[_Typed], atoms: Atoms) -> dict[str, Any]:
        from rdkit import Chem, rdBase

        energies, gradients = [], []
        for typed in ways:
            conformer = Chem.Conformer(len(atoms))
            conformer.SetPositions(atoms.positions)
            molecule = Chem.Mol(typed.molecule)
            molecule.AddConformer(conformer)
            with rdBase.BlockLogs():
                field = self._field(molecule, typed.types)
            energies.append(field.CalcEnergy())  # kcal/mol
            gradients.append(np.array(field.CalcGrad()).reshape(-1, 3))  # kcal/mol/Å, (N, 3)
        unit = kcal / mol
        energy, gradient = float(np.mean(energies)), np.mean(gradients, axis=0)
        return {"energy": energy * unit, "forces": -gradient * unit}

    @abstractmethod
    def _typed(self, bonding: Bonding) -> _Typed:
        """Return the molecule with its types; ValueError when an atom has none."""

    @abstractmethod
    def _field(self, molecule: Any, types: Any) -> Any:
        """Return RDKit's force field of a molecule with a conformer."""


@final
class UFFPrior(_MolecularMechanicsPrior):
    """Universal force field (Rappé et al., J. Am. Chem. Soc. 114, 10024, 1992), no charges.

    RDKit's UFF has bonded and van der Waals terms and no electrostatics. It is rough at double
    bonds: in esters and acids its forces are off by some eV/Å.
    """

    name = "uff"
    level_of_theory = "UFF without electrostatics (RDKit, bonds perceived)"
    elements = frozenset(
        atomic_numbers[symbol]
        for symbol in ("H", "B", "C", "N", "O", "F", "Si", "P", "S", "Cl", "Br", "I")
    )

    def _typed(self, bonding: Bonding) -> _Typed:
        from rdkit import Chem
        from rdkit.Chem import rdForceFieldHelpers

        molecule = bonding.molecule()
        Chem.SanitizeMol(molecule)
        if not rdForceFieldHelpers.UFFHasAllMoleculeParams(molecule):
            raise ValueError("UFF has no parameters for an atom of these bonds")
        return _Typed(
            molecule,
            None,
            tuple(str(atom.GetHybridization()) for atom in molecule.GetAtoms()),
            tuple(
                rdForceFieldHelpers.GetUFFBondStretchParams(molecule, *pair)
                for pair in bonding.connectivity.pairs
            ),
        )

    def _field(self, molecule: Any, types: Any) -> Any:
        from rdkit.Chem import rdForceFieldHelpers

        return rdForceFieldHelpers.UFFGetMoleculeForceField(
            molecule, vdwThresh=FAR, ignoreInterfragInteractions=False
        )


@final
class MMFF94Prior(_MolecularMechanicsPrior):
    """MMFF94 (Halgren, J. Comput. Chem. 17, 490, 1996): for organic molecules.

    It knows no unpaired electrons: radicals and broken bonds are failures.
    """

    name = "mmff94"
    level_of_theory = "MMFF94 (RDKit, bonds perceived)"
    elements = frozenset(
        atomic_numbers[symbol]
        for symbol in ("H", "C", "N", "O", "F", "Si", "P", "S", "Cl", "Br", "I")
    )

    def _typed(self, bonding: Bonding) -> _Typed:
        from rdkit import Chem
        from rdkit.Chem import rdForceFieldHelpers

        molecule = bonding.molecule()
        # MMFF94 has its own aromaticity; with RDKit's it would choose double bonds itself.
        steps = Chem.SanitizeFlags.SANITIZE_ALL ^ Chem.SanitizeFlags.SANITIZE_SETAROMATICITY
        Chem.SanitizeMol(molecule, sanitizeOps=steps)
        if any(atom.GetNumRadicalElectrons() for atom in molecule.GetAtoms()):
            raise ValueError("MMFF94 has no unpaired electrons, and these bonds leave some")
        types = rdForceFieldHelpers.MMFFGetMoleculeProperties(molecule)
        if types is None:
            raise ValueError("MMFF94 has no type for an atom of these bonds")
        return _Typed(
            molecule,
            types,
            tuple(
                (types.GetMMFFAtomType(index), types.GetMMFFPartialCharge(index))
                for index in range(molecule.GetNumAtoms())
            ),
            tuple(
                types.GetMMFFBondStretchParams(molecule, *pair)
                for pair in bonding.connectivity.pairs
            ),
        )

    def _field(self, molecule: Any, types: Any) -> Any:
        from rdkit.Chem import rdForceFieldHelpers

        return rdForceFieldHelpers.MMFFGetMoleculeForceField(
            molecule, types, nonBondedThresh=FAR, ignoreInterfragInteractions=False
        )


def _is_symmetric(typed: _Typed, connectivity: Connectivity) -> bool:
    """Tell whether atoms and bonds that the connectivity cannot tell apart are typed alike."""
    classes = classes_of(connectivity)
    seen: dict[Any, Any] = {}
    atoms = zip(classes, typed.atoms, strict=True)
    bonds = (
        (tuple(sorted((classes[first], classes[second]))), parameters)
        for (first, second), parameters in zip(connectivity.pairs, typed.bonds, strict=True)
    )
    return all(seen.setdefault(kind, what) == what for kind, what in (*atoms, *bonds))
