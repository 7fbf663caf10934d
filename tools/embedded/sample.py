"""Draw the geometries of the embedded example by GFN2-xTB molecular dynamics.

Each run starts from an RDKit conformer relaxed with GFN2-xTB, is heated for 0.5 ps with a
Langevin thermostat and then gives one frame every 100 fs. Training and test sets come
from runs with different seeds, so that no test frame is a neighbour of a training frame.

Usage: ``python tools/embedded/sample.py -o GEOMETRIES`` (resumable: a set that is
already written is left alone).
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
from ase import Atoms, units
from ase.io import write
from ase.md.langevin import Langevin
from ase.md.velocitydistribution import Stationary, ZeroRotation, thermalize_momenta
from ase.optimize import BFGS
from molecules import SETS, Draw
from rdkit import Chem
from rdkit.Chem import AllChem
from tblite.ase import TBLite

TIMESTEP_FS = 1.0
WARM_UP_STEPS = 500
STRIDE = 100


def conformer(smiles: str, seed: int) -> Atoms:
    """One RDKit (ETKDG) conformer of a SMILES string, relaxed with GFN2-xTB."""
    molecule = Chem.AddHs(Chem.MolFromSmiles(smiles))
    if AllChem.EmbedMolecule(molecule, randomSeed=seed) != 0:
        raise RuntimeError(f"RDKit could not embed {smiles!r}")
    symbols = [atom.GetSymbol() for atom in molecule.GetAtoms()]
    atoms = Atoms(symbols, molecule.GetConformer().GetPositions())
    atoms.calc = TBLite(method="GFN2-xTB", verbosity=0)
    BFGS(atoms, logfile=None).run(fmax=0.05, steps=200)
    return atoms


def frames(name: str, smiles: str, draw: Draw, temperature: float, seed: int) -> list[Atoms]:
    """``draw.frames`` structures from one Langevin run at ``temperature`` (K)."""
    rng = np.random.default_rng(seed)
    atoms = conformer(smiles, seed=seed % 2**31)
    thermalize_momenta(atoms, temperature_K=temperature, rng=rng)
    Stationary(atoms)
    ZeroRotation(atoms)
    dynamics = Langevin(
        atoms,
        TIMESTEP_FS * units.fs,
        temperature_K=temperature,
        friction=0.01 / units.fs,
        rng=rng,
        fixcm=False,
    )
    dynamics.run(WARM_UP_STEPS)
    kept = []
    for index in range(draw.frames):
        dynamics.run(STRIDE)
        scale = draw.compression[index % len(draw.compression)]
        positions = atoms.get_positions()
        positions = (positions - positions.mean(axis=0)) * scale
        frame = Atoms(atoms.get_chemical_symbols(), positions)
        frame.info.update(molecule=name, temperature_K=temperature, scale=scale)
        kept.append(frame)
    return kept


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("-o", "--output", type=Path, required=True)
    parser.add_argument("--sets", nargs="*", default=list(SETS))
    arguments = parser.parse_args()
    arguments.output.mkdir(parents=True, exist_ok=True)
    for set_name in arguments.sets:
        target = arguments.output / f"{set_name}.extxyz"
        if target.exists():
            continue
        draw = SETS[set_name]
        structures: list[Atoms] = []
        for number, (name, smiles) in enumerate(draw.molecules.items()):
            for run, temperature in enumerate(draw.temperatures):
                seed = 10_000 * draw.seed + 100 * number + run
                structures += frames(name, smiles, draw, temperature, seed)
        partial = target.with_suffix(".partial")
        write(partial, structures, format="extxyz")
        partial.replace(target)
        print(f"{target}: {len(structures)} structures", flush=True)


if __name__ == "__main__":
    main()
