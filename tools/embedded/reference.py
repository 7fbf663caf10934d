"""Label the geometries of the embedded example with density functional theory (PySCF).

Level of theory: ωB97X/6-31G(d), density fitting, grid level 2, closed-shell Kohn-Sham
(isolated atoms: unrestricted, in their ground-state multiplicity). Each structure is
stored as one JSON file named by the hash of its geometry, so a killed run loses only
the structure in flight and a second start computes nothing twice.

Usage: ``python tools/embedded/reference.py GEOMETRIES -o OUT [--workers N]``.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
from ase import Atoms
from ase.io import read, write
from ase.units import Bohr, Hartree
from molecules import ELEMENTS, SETS
from pyscf import dft, gto, lib

LEVEL_OF_THEORY = "wB97X/6-31G(d) (PySCF, density fitting, grid level 2)"
SPIN = {"H": 1, "C": 2, "N": 3, "O": 2, "F": 1}  # unpaired electrons of the free atom


def reference(atoms: Atoms) -> dict[str, object]:
    """Energy (eV) and forces (eV/Å) of a neutral molecule or free atom.

    Raises
    ------
    RuntimeError
        If the self-consistent field does not converge.
    """
    lib.num_threads(1)
    symbols = atoms.get_chemical_symbols()
    spin = SPIN[symbols[0]] if len(atoms) == 1 else 0
    geometry = list(zip(symbols, atoms.get_positions(), strict=True))
    molecule = gto.M(atom=geometry, unit="Angstrom", basis="6-31g(d)", spin=spin, verbose=0)
    kohn_sham = dft.UKS(molecule) if spin else dft.RKS(molecule)
    kohn_sham = kohn_sham.density_fit()
    kohn_sham.xc, kohn_sham.grids.level, kohn_sham.conv_tol = "wb97x", 2, 1e-8
    energy = kohn_sham.kernel()
    if not kohn_sham.converged:
        raise RuntimeError(f"SCF did not converge for {atoms.get_chemical_formula()}")
    gradient = kohn_sham.nuc_grad_method().kernel()
    return {
        "energy_eV": float(energy * Hartree),
        "forces_eV_per_A": (-gradient * Hartree / Bohr).tolist(),
        "level_of_theory": LEVEL_OF_THEORY,
    }


def key(atoms: Atoms) -> str:
    """Content hash of elements and positions (to 1e-8 Å, the precision of extxyz)."""
    geometry = repr((atoms.numbers.tolist(), atoms.positions.round(8).tolist()))
    return hashlib.sha256((LEVEL_OF_THEORY + geometry).encode()).hexdigest()[:24]


def compute(task: tuple[Atoms, Path]) -> None:
    """Label one structure and store it atomically."""
    atoms, target = task
    partial = target.with_suffix(f".{os.getpid()}.partial")
    partial.write_text(json.dumps(reference(atoms)))
    partial.replace(target)


def labelled(structures: list[Atoms], cache: Path) -> Iterator[Atoms]:
    """The structures with energy, forces and level of theory attached."""
    for atoms in structures:
        result = json.loads((cache / f"{key(atoms)}.json").read_text())
        copy = atoms.copy()
        copy.info["REF_energy"] = result["energy_eV"]
        copy.arrays["REF_forces"] = np.array(result["forces_eV_per_A"])
        copy.info["REF_level_of_theory"] = result["level_of_theory"]
        yield copy


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("geometries", type=Path)
    parser.add_argument("-o", "--output", type=Path, required=True)
    parser.add_argument("--workers", type=int, default=2)
    arguments = parser.parse_args()
    cache = arguments.output / "cache"
    cache.mkdir(parents=True, exist_ok=True)

    sets = {"isolated_atoms": [Atoms(element, [(0, 0, 0)]) for element in ELEMENTS]}
    for name in SETS:
        sets[name] = read(arguments.geometries / f"{name}.extxyz", index=":")
    tasks = []
    for structures in sets.values():
        for atoms in structures:
            target = cache / f"{key(atoms)}.json"
            if not target.exists():
                tasks.append((atoms, target))
    with ProcessPoolExecutor(arguments.workers, mp_context=get_context("spawn")) as pool:
        for done, _ in enumerate(pool.map(compute, tasks), start=1):
            print(f"{done}/{len(tasks)}", flush=True)
    for name, structures in sets.items():
        target = arguments.output / f"{name}.extxyz"
        write(target.with_suffix(".partial"), list(labelled(structures, cache)), format="extxyz")
        target.with_suffix(".partial").replace(target)


if __name__ == "__main__":
    main()
