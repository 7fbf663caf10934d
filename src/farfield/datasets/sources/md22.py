"""MD22: molecular dynamics of seven larger molecules and supramolecular complexes."""

from __future__ import annotations

from farfield.datasets.contract import Dataset, File, Subset
from farfield.datasets.formats.arrays import SGDML, read_arrays
from farfield.datasets.units import Units

_ADDRESS = "http://www.quantum-machine.org/gdml/repo/datasets/"
_MOLECULES = {
    "Ac-Ala3-NHMe": 85_109,
    "DHA": 69_753,
    "stachyose": 27_272,
    "AT-AT": 20_001,
    "AT-AT-CG-CG": 10_153,
    "buckyball-catcher": 6_102,
    "double-walled_nanotube": 5_032,
}

MD22 = Dataset(
    name="md22",
    title="MD22: ab initio molecular dynamics of seven molecules of 42 to 370 atoms",
    level_of_theory="PBE+MBD",
    licence="not stated by its authors",
    citation="Chmiela et al., Sci. Adv. 9, eadf0873 (2023), doi:10.1126/sciadv.adf0873",
    page="http://www.sgdml.org",
    format="npz",
    units=Units("kcal/mol", "Å"),
    reader=lambda source: read_arrays(source, source.path, SGDML),
    subsets={
        molecule: Subset(
            File(f"md22_{molecule}.npz", f"{_ADDRESS}md22_{molecule}.npz"), n_structures=count
        )
        for molecule, count in _MOLECULES.items()
    },
)
