"""MD17: molecular dynamics of ten small molecules."""

from __future__ import annotations

from farfield.datasets.contract import Dataset, File, Subset
from farfield.datasets.formats.arrays import SGDML, read_arrays
from farfield.datasets.units import Units

_ADDRESS = "http://www.quantum-machine.org/gdml/data/npz/"
_MOLECULES = {  # file, and structures in it
    "aspirin": ("md17_aspirin.npz", 211_762),
    "azobenzene": ("azobenzene_dft.npz", 99_999),
    "benzene": ("md17_benzene2017.npz", 627_983),
    "ethanol": ("md17_ethanol.npz", 555_092),
    "malonaldehyde": ("md17_malonaldehyde.npz", 993_237),
    "naphthalene": ("md17_naphthalene.npz", 326_250),
    "paracetamol": ("paracetamol_dft.npz", 106_490),
    "salicylic": ("md17_salicylic.npz", 320_231),
    "toluene": ("md17_toluene.npz", 442_790),
    "uracil": ("md17_uracil.npz", 133_770),
}

MD17 = Dataset(
    name="md17",
    title="MD17: ab initio molecular dynamics of ten small molecules at 500 K",
    level_of_theory="PBE+vdW-TS",
    licence="not stated by its authors",
    citation="Chmiela et al., Sci. Adv. 3, e1603015 (2017), doi:10.1126/sciadv.1603015",
    page="http://www.sgdml.org",
    format="npz",
    units=Units("kcal/mol", "Å"),
    reader=lambda source: read_arrays(source, source.path, SGDML),
    subsets={
        molecule: Subset(File(name, _ADDRESS + name), n_structures=count)
        for molecule, (name, count) in _MOLECULES.items()
    },
    note="Its labels are noisy; rmd17 has the same molecules, computed anew.",
)
