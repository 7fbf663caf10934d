"""The data of the BOTNet paper: 3BPA and acetylacetone, small molecules at several temperatures."""

from __future__ import annotations

from farfield.datasets.contract import Dataset, File, Subset
from farfield.datasets.formats.extended_xyz import read_extended_xyz
from farfield.datasets.units import Units

_COMMIT = "4a5ea06c3f514f24164428823ba1f5e2d2233b58"
_ADDRESS = f"https://raw.githubusercontent.com/davkovacs/BOTNet-datasets/{_COMMIT}/"
_PAGE = "https://github.com/davkovacs/BOTNet-datasets"


def _subsets(folder: str, names: dict[str, int | None]) -> dict[str, Subset]:
    return {
        name: Subset(File(f"{name}.xyz", f"{_ADDRESS}{folder}/{name}.xyz"), n_structures=count)
        for name, count in names.items()
    }


THREE_BPA = Dataset(
    name="3bpa",
    title="3BPA, a flexible drug-like molecule, at 300, 600 and 1200 K",
    level_of_theory="wB97X/6-31G(d) (3BPA)",
    licence="MIT",
    citation="Kovács et al., J. Chem. Theory Comput. 17, 7696 (2021), doi:10.1021/acs.jctc.1c00647",
    page=_PAGE,
    format="extended XYZ",
    units=Units(),
    reader=lambda source: read_extended_xyz(source, [source.path]),
    subsets=_subsets(
        "dataset_3BPA",
        {
            "train_300K": 500,
            "train_mixedT": 500,
            "test_300K": None,
            "test_600K": None,
            "test_1200K": None,
            "test_dih": None,
            "iso_atoms": None,
        },
    ),
    default="train_300K",
)

ACETYLACETONE = Dataset(
    name="acac",
    title="Acetylacetone at 300 and 600 K, its proton transfer and a dihedral scan",
    level_of_theory="PBE-D3/def2-SVP",
    licence="MIT",
    citation="Batatia et al., Nat. Mach. Intell. 7, 56 (2025), doi:10.1038/s42256-024-00956-x",
    page=_PAGE,
    format="extended XYZ",
    units=Units(),
    reader=lambda source: read_extended_xyz(source, [source.path]),
    subsets=_subsets(
        "dataset_acac",
        {
            "train_300K": 500,
            "train_600K": 500,
            "test_MD_300K": None,
            "test_MD_600K": None,
            "test_H_transfer": None,
            "test_dihedral": None,
            "isolated_atoms": None,
        },
    ),
    default="train_300K",
    note="The proton transfer and the dihedral scan have energies only.",
)
