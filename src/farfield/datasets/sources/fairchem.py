"""OC20, OMat24 and OMol25 of Meta's FAIR chemistry, and any other ASE database in LMDB files."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from farfield.datasets.contract import NO_LEVEL, Block, Dataset, File, Source, Subset
from farfield.datasets.formats.ase_lmdb import files_below, read_ase_lmdb
from farfield.datasets.formats.extended_xyz import read_extended_xyz
from farfield.datasets.units import Units
from farfield.errors import DatasetError

_ADDRESS = "https://dl.fbaipublicfiles.com/opencatalystproject/data/"
_CC_BY = "CC BY 4.0"


def _read_lmdb(source: Source) -> Iterator[Block]:
    return read_ase_lmdb(source, files_below(source.path))


def _read_oc20(source: Source) -> Iterator[Block]:
    return read_extended_xyz(source, files_below(source.path, "*.extxyz*"))


_OC20 = {  # md5 as published, and structures
    "train_200K": ("f8d0909c2623a393148435dede7d3a46", None),
    "train_2M": ("953474cb93f0b08cdc523399f03f7c36", None),
    "train_20M": ("863bc983245ffc0285305a1850e19cf7", None),
    "val_id": ("f57f7f5c1302637940f2cc858e789410", 999_866),
    "val_ood_ads": ("431ab0d7557a4639605ba8b67793f053", 999_838),
    "val_ood_cat": ("532d6cd1fe541a0ddb0aa0f99962b7db", 999_809),
    "val_ood_both": ("5731862978d80502bbf7017d68c2c729", 999_944),
}

OC20 = Dataset(
    name="oc20",
    title="OC20 S2EF: adsorbates on catalyst surfaces, relaxed by DFT",
    level_of_theory="RPBE (OC20)",
    licence=_CC_BY,
    citation="Chanussot et al., ACS Catal. 11, 6059 (2021), doi:10.1021/acscatal.0c04525",
    page="https://facebookresearch.github.io/fairchem/oc20",
    format="extended XYZ (xz) in tar",
    units=Units(),
    reader=_read_oc20,
    subsets={
        name: Subset(
            File(f"s2ef_{name}.tar", f"{_ADDRESS}s2ef_{name}.tar", f"md5:{md5}", unpack=True),
            n_structures=count,
        )
        for name, (md5, count) in _OC20.items()
    },
    note="As published: total energies in extended XYZ, not the adsorption energies that fairchem "
    "makes of them. OC20 converted to .aselmdb is read as aselmdb:PATH.",
)

_OMAT_VALIDATION = {
    "rattled-1000": 117_004,
    "rattled-1000-subsampled": 39_785,
    "rattled-500": 71_522,
    "rattled-500-subsampled": 41_021,
    "rattled-300": 65_235,
    "rattled-300-subsampled": 35_579,
    "aimd-from-PBE-1000-npt": 212_737,
    "aimd-from-PBE-1000-nvt": 205_165,
    "aimd-from-PBE-3000-npt": 62_130,
    "aimd-from-PBE-3000-nvt": 79_977,
    "rattled-relax": 95_206,
}


def _omat(split: str, date: str, part: str, count: int | None) -> Subset:
    url = f"{_ADDRESS}omat/{date}/omat/{split}/{part}.tar.gz"
    return Subset(File(f"{split}-{part}.tar.gz", url, unpack=True), n_structures=count)


OMAT24 = Dataset(
    name="omat24",
    title="OMat24: inorganic crystals far from equilibrium",
    level_of_theory="PBE/PBE+U (OMat24)",
    licence=_CC_BY,
    citation="Barroso-Luque et al., arXiv:2410.12771 (2024)",
    page="https://huggingface.co/datasets/fairchem/OMAT24",
    format="ASE-LMDB in tar.gz",
    units=Units(),
    reader=_read_lmdb,
    subsets={
        **{f"val/{p}": _omat("val", "241220", p, n) for p, n in _OMAT_VALIDATION.items()},
        **{f"train/{p}": _omat("train", "241018", p, None) for p in _OMAT_VALIDATION},
    },
    extra="data",
)


def _omol_subset(name: str) -> Subset:
    return Subset(File(name))


OMOL25 = Dataset(
    name="omol25",
    title="OMol25: molecules, metal complexes, electrolytes and biomolecules",
    level_of_theory="wB97M-V/def2-TZVPD",
    licence=_CC_BY,
    citation="Levine et al., arXiv:2505.08762 (2025)",
    page="https://huggingface.co/facebook/OMol25",
    format="ASE-LMDB",
    units=Units(),
    reader=_read_lmdb,
    subsets={name: _omol_subset(name) for name in ("train_4M", "val")},
    subset_of=_omol_subset,
    extra="data",
    note="Behind an account and a licence to accept: fetch a folder of .aselmdb files by hand; the "
    "subset is the folder's name. Charge and spin are kept.",
)


def _aselmdb_subset(name: str) -> Subset:
    path = Path(name).expanduser()
    if not path.exists():
        raise DatasetError(f"aselmdb:{name}: no such file or folder")
    return Subset(None, str(path))


ASELMDB = Dataset(
    name="aselmdb",
    title="Any ASE database in LMDB files, as aselmdb:PATH of a file or folder",
    level_of_theory=NO_LEVEL,
    licence="that of the data",
    citation="that of the data",
    page="",
    format="ASE-LMDB",
    units=Units(),
    reader=lambda source: read_ase_lmdb(source, files_below(Path(source.subset.part))),
    subset_of=_aselmdb_subset,
    extra="data",
)
