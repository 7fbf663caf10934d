"""Small files in the layouts in which the data sets are published."""

from __future__ import annotations

import json
import zipfile
import zlib
from dataclasses import replace

import lmdb
import numpy as np
from ase import Atoms
from ase.io.jsonio import encode

from farfield.datasets import Choice, Source, Stream, load_dataset

KCAL = 0.0433641153  # eV in 1 kcal/mol
HARTREE = 27.211386246  # eV
BOHR = 0.529177211  # Å
WATER = np.array([8, 1, 1])
SHAPE = np.array([[0.0, 0.0, 0.0], [0.96, 0.0, 0.0], [-0.24, 0.93, 0.0]])


def frames(count, seed=0):
    """Rattled water: positions (Å), energies and forces of no particular unit."""
    random = np.random.default_rng(seed)
    positions = SHAPE + random.normal(0.0, 0.05, (count, 3, 3))
    return positions, random.normal(-76.0, 0.1, count), random.normal(0.0, 1.0, (count, 3, 3))


def stream(name, subset, path, **choice):
    """Structures of a file that lies anywhere, whatever its checksum."""
    dataset = load_dataset(name)
    source = Source(dataset, dataset.subset(subset), path)
    return Stream(f"{name}:{subset}", lambda: dataset.reader(source), Choice(**choice))


def trusting(name, **changes):
    """The data set with its files' checksums taken away."""
    dataset = load_dataset(name)
    subsets = {
        key: replace(subset, file=replace(subset.file, checksum="", **changes))
        for key, subset in dataset.subsets.items()
    }
    return replace(dataset, subsets=subsets)


def write_sgdml(path, count=5, **more):
    positions, energies, forces = frames(count)
    np.savez(path, z=WATER, R=positions, E=energies[:, None], F=forces, type=b"d", **more)
    return positions, energies, forces


def write_revised(path, count=5, seed=0):
    positions, energies, forces = frames(count, seed)
    np.savez(
        path,
        nuclear_charges=WATER.astype(np.uint8),
        coords=positions,
        energies=energies,
        forces=forces,
        old_indices=np.arange(count),
        old_energies=energies,
        old_forces=forces,
    )
    return positions, energies, forces


def write_spice(path, group_names=("103147721", "[Na+] water"), count=3, units=True):
    import h5py

    positions, energies, gradients = frames(count)
    with h5py.File(path, "w") as handle:
        for name in group_names:
            subset, smiles = "PubChem Set 1 Single Points Dataset v1.2", "[O:1]([H:2])[H:3]"
            if "Na" in name:
                subset = "Ion Pairs Single Points Dataset v1.1"
                smiles = "[Na+:1].[O:2]([H:3])[H:4]"
            group = handle.create_group(name)
            fill_spice(group, subset, smiles, WATER, positions, energies, gradients, units)
    return positions, energies, gradients


def fill_spice(group, subset, smiles, numbers, positions, energies, gradients, units=True):
    """One molecule of SPICE; positions in Å, the labels in atomic units."""
    import h5py

    text = h5py.string_dtype()
    group.create_dataset("subset", data=[f"SPICE {subset}"], dtype=text)
    group.create_dataset("smiles", data=[smiles], dtype=text)
    group.create_dataset("atomic_numbers", data=np.asarray(numbers, dtype=np.int16))
    for key, values, unit in (
        ("conformations", positions / BOHR, "bohr"),
        ("dft_total_energy", energies, "hartree"),
        ("dft_total_gradient", gradients, "hartree/bohr"),
    ):
        array = group.create_dataset(key, data=values)
        if units:
            array.attrs["units"] = unit


def write_ani(path, count=4):
    import h5py

    positions, energies, forces = frames(count)
    energies[1], forces[2, 0, 0] = np.nan, np.nan
    with h5py.File(path, "w") as handle:
        for name in ("H2O1", "H2O1_again"):
            group = handle.create_group(name)
            group["atomic_numbers"] = WATER.astype(np.uint8)
            group["coordinates"] = positions.astype(np.float32)
            group["wb97x_dz.energy"] = energies
            group["wb97x_dz.forces"] = forces.astype(np.float32)
            group["ccsd(t)_cbs.energy"] = np.full(count, np.nan)
    return positions, energies, forces


def write_lmdb(path, count=4, deleted=(2,), as_fairchem=True):
    """An ASE database as fairchem writes it: lists and ``data``; else ASE's own arrays."""
    positions, energies, forces = frames(count)

    def packed(content):
        return zlib.compress(encode(content).encode())

    def array(values):
        return np.asarray(values).tolist() if as_fairchem else np.asarray(values)

    environment = lmdb.open(str(path), map_size=1 << 24, subdir=False, meminit=False)
    with environment.begin(write=True) as transaction:
        for number in range(1, count + 1):
            row = {
                "numbers": array(WATER),
                "positions": array(positions[number - 1]),
                "cell": array(np.eye(3) * 8.0),
                "pbc": array([True, True, True]),
                "energy": energies[number - 1],
                "forces": array(forces[number - 1]),
                "stress": array(np.arange(6.0) / 100),
                "mtime": 25.0,
            }
            info = {"charge": -1, "spin": 2, "source": "somewhere", "nbo": [0.0] * 3}
            row |= {"data": info} if as_fairchem else {"key_value_pairs": {"charge": -1, "spin": 2}}
            if number not in deleted:
                transaction.put(str(number).encode(), packed(row))
        transaction.put(b"nextid", packed(count + 1))
        transaction.put(b"deleted_ids", packed(list(deleted)))
    environment.sync()
    environment.close()
    return positions, energies, forces


def material(count=2, scale=1.0):
    """One material of MPtrj in CHGNet's JSON."""
    positions, energies, forces = frames(count)
    found = {}
    for index in range(count):
        sites = [
            {"species": [{"element": symbol, "occu": 1}], "xyz": xyz.tolist(), "label": symbol}
            for symbol, xyz in zip("OHH", positions[index], strict=True)
        ]
        found[f"mp-149-0-{index}"] = {
            "structure": {"lattice": {"matrix": (8.0 * np.eye(3)).tolist()}, "sites": sites},
            "uncorrected_total_energy": energies[index] * scale,
            "corrected_total_energy": energies[index] - 9.0,
            "force": forces[index].tolist(),
            "stress": [[10.0, 6.0, 5.0], [6.0, 20.0, 4.0], [5.0, 4.0, 30.0]],
            "magmom": None,
            "mp_id": "mp-149",
        }
    return found


def write_chgnet(path, names=("mp-149", "mp-150")):
    path.write_text(json.dumps({name: material() for name in names}))


def xyz_text(count=3, seed=0, **info):
    """Extended XYZ with eV and eV/Å."""
    positions, energies, forces = frames(count, seed)
    words = " ".join(f"{key}={value}" for key, value in info.items())
    text = ""
    for index in range(count):
        text += f"3\nProperties=species:S:1:pos:R:3:forces:R:3 energy={energies[index]} {words}"
        text += ' pbc="F F F"\n'
        for symbol, xyz, force in zip("OHH", positions[index], forces[index], strict=True):
            text += f"{symbol} {' '.join(map(repr, map(float, [*xyz, *force])))}\n"
    return text


def write_mptrj_zip(path):
    with zipfile.ZipFile(path, "w") as archive:
        for name in ("mp-149", "mp-1490"):
            archive.writestr(f"mptrj-gga-ggapu/{name}.extxyz", xyz_text(2, task_id=name))


def labels(atoms: Atoms):
    return atoms.info["REF_energy"], atoms.arrays["REF_forces"]
