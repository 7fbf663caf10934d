"""Geometries of one molecule by Langevin dynamics with a classical force field.

The force field (MMFF94, else UFF, by RDKit) only decides where the structures lie. Its bonds are
those of the SMILES string and cannot break, so a run cannot end in another molecule.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, final

import numpy as np
from ase import Atoms, units
from ase.calculators.calculator import Calculator, all_changes
from ase.md.langevin import Langevin
from ase.md.velocitydistribution import Stationary, ZeroRotation, thermalize_momenta

from farfield.datasets.synthetic.molecules import Molecule
from farfield.errors import DatasetError, DependencyError

TIMESTEP_FS = 1.0
FRICTION = 0.02 / units.fs
WARM_UP = 100  # steps
STRIDE = 40  # steps between two frames
MINIMISATION = 500  # steps at most
_KCAL = units.kcal / units.mol


def sample(molecule: Molecule, temperature: float, count: int, seed: int) -> Iterator[Atoms]:
    """Yield ``count`` geometries of a molecule at ``temperature`` (K), in the order of time.

    Raises
    ------
    DependencyError
        RDKit is not installed.
    DatasetError
        RDKit cannot place the molecule in space.
    """
    random = np.random.default_rng(seed)
    atoms = embedded(molecule, int(random.integers(2**31 - 1)))
    thermalize_momenta(atoms, temperature_K=temperature, rng=random)
    Stationary(atoms)
    ZeroRotation(atoms)
    dynamics = Langevin(
        atoms,
        TIMESTEP_FS * units.fs,
        temperature_K=temperature,
        friction=FRICTION,
        rng=random,
        fixcm=False,
    )
    dynamics.run(WARM_UP)
    for _ in range(count):
        dynamics.run(STRIDE)
        frame = Atoms(atoms.numbers, atoms.positions - atoms.positions.mean(axis=0))
        frame.info.update(molecule=molecule.name, temperature_K=temperature)
        yield frame


def embedded(molecule: Molecule, seed: int) -> Atoms:
    """The molecule at a minimum of its force field, which is its calculator."""
    try:
        from rdkit import Chem
        from rdkit.Chem import rdDistGeom, rdForceFieldHelpers
    except ImportError as error:
        raise DependencyError("rdkit", "rdkit", "making synthetic sets") from error
    graph = Chem.AddHs(Chem.MolFromSmiles(molecule.smiles))
    placed = rdDistGeom.EmbedMolecule(graph, randomSeed=seed) == 0
    if not placed:  # random coordinates help with cages
        placed = rdDistGeom.EmbedMolecule(graph, randomSeed=seed, useRandomCoords=True) == 0
    if not placed:
        raise DatasetError(f"RDKit cannot place {molecule.name} ({molecule.smiles}) in space")
    properties = rdForceFieldHelpers.MMFFGetMoleculeProperties(graph)
    if properties is None:
        field = rdForceFieldHelpers.UFFGetMoleculeForceField(graph)
    else:
        field = rdForceFieldHelpers.MMFFGetMoleculeForceField(graph, properties)
    field.Initialize()
    field.Minimize(maxIts=MINIMISATION)
    numbers = [atom.GetAtomicNum() for atom in graph.GetAtoms()]
    atoms = Atoms(numbers, graph.GetConformer().GetPositions())
    atoms.calc = _ForceField(graph, field)
    return atoms


@final
class _ForceField(Calculator):
    """An RDKit force field; between steps of dynamics only positions change."""

    def __init__(self, graph: Any, field: Any) -> None:
        super().__init__()
        self.implemented_properties = ["energy", "forces"]
        self._graph = graph  # the field points into it
        self._field = field
        self._positions = np.zeros((0, 3))

    def check_state(self, atoms: Atoms, tol: float = 0.0) -> list[str]:
        """Look at the positions alone: ASE's own test costs twice the force field."""
        return [] if np.array_equal(atoms.positions, self._positions) else ["positions"]

    def calculate(
        self,
        atoms: Atoms | None = None,
        properties: list[str] | None = None,
        system_changes: list[str] = all_changes,
    ) -> None:
        """Compute energy (eV) and forces (eV/Å)."""
        assert atoms is not None  # ASE passes it
        self._positions = atoms.positions.copy()
        flat = self._positions.ravel().tolist()
        energy = self._field.CalcEnergy(flat)  # first: the gradient uses the distances found here
        gradient = np.array(self._field.CalcGrad(flat)).reshape(-1, 3)
        self.results = {"energy": _KCAL * energy, "forces": -_KCAL * gradient}
