"""rMD17: the geometries of MD17 with converged labels, and five published splits."""

from __future__ import annotations

from collections.abc import Iterator

from farfield.datasets.contract import Block, Dataset, File, Source, Subset
from farfield.datasets.formats.arrays import REVISED, read_arrays
from farfield.datasets.units import Units
from farfield.errors import DatasetError

_ARCHIVE = File(
    "rmd17.tar.bz2",
    "https://figshare.com/ndownloader/files/23950376",
    "sha256:cddeea2ec2c4b22a9de16a9a65a3eeedac5b29da9c99c20bbff0153912bf922b",
    1_066_301_513,
    unpack=True,
)
_MOLECULES = (
    "aspirin",
    "azobenzene",
    "benzene",
    "ethanol",
    "malonaldehyde",
    "naphthalene",
    "paracetamol",
    "salicylic",
    "toluene",
    "uracil",
)
_FEWER = {"azobenzene": 99_988}
_SPLITS = [f"{kind}_{number:02d}" for kind in ("train", "test") for number in range(1, 6)]


def _read(source: Source) -> Iterator[Block]:
    path = source.path / "rmd17" / "npz_data" / f"rmd17_{source.subset.part}.npz"
    if not path.is_file():
        raise DatasetError(f"{path}: no such file: is {source.path} the content of rmd17.tar.bz2?")
    return read_arrays(source, path, REVISED)


def _subset(molecule: str, split: str = "") -> Subset:
    count = 1000 if split else _FEWER.get(molecule, 100_000)
    indices = f"rmd17/splits/index_{split}.csv" if split else ""
    return Subset(_ARCHIVE, molecule, count, indices=indices)


RMD17 = Dataset(
    name="rmd17",
    title="rMD17: MD17 with converged energies and forces",
    level_of_theory="PBE/def2-SVP",
    licence="CC0 1.0",
    citation=(
        "Christensen and von Lilienfeld, Mach. Learn.: Sci. Technol. 1, 045018 (2020), "
        "doi:10.1088/2632-2153/abba6f"
    ),
    page="https://doi.org/10.6084/m9.figshare.12672038.v3",
    format="npz in tar.bz2",
    units=Units("kcal/mol", "Å"),
    reader=_read,
    subsets={
        **{molecule: _subset(molecule) for molecule in _MOLECULES},
        **{f"{m}/{split}": _subset(m, split) for m in _MOLECULES for split in _SPLITS},
    },
    note="MOLECULE/train_01 to train_05 and test_01 to test_05 are the published splits. Its "
    "authors ask not to train on more than 1000 structures of a molecule.",
)
