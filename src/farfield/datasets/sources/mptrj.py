"""MPtrj: relaxations of the crystals of the Materials Project."""

from __future__ import annotations

from collections.abc import Iterator

from farfield.datasets.contract import Block, Dataset, File, Source, Subset
from farfield.datasets.formats.chgnet_json import read_chgnet_json
from farfield.datasets.formats.extended_xyz import read_zipped_xyz
from farfield.datasets.units import Units


def _read(source: Source) -> Iterator[Block]:
    if source.path.suffix == ".json":
        return read_chgnet_json(source)
    part = source.subset.part
    return read_zipped_xyz(source, lambda name: not part or name.endswith(f"{part}.extxyz"))


_XYZ = File(
    "2024-09-03-mp-trj.extxyz.zip",
    "https://ndownloader.figshare.com/files/49034296",
    "md5:7f433171e4e5f2ef9304dccd42d5488f",
)

MPTRJ = Dataset(
    name="mptrj",
    title="MPtrj: relaxation trajectories of the Materials Project",
    level_of_theory="PBE/PBE+U (Materials Project)",
    licence="CC BY 4.0",
    citation="Deng et al., Nat. Mach. Intell. 5, 1031 (2023), doi:10.1038/s42256-023-00716-3",
    page="https://figshare.com/articles/dataset/23713842",
    format="extended XYZ in zip; JSON",
    units=Units(),
    reader=_read,
    subsets={
        "extxyz": Subset(_XYZ),
        "json": Subset(File("MPtrj_2022.9_full.json"), n_structures=1_580_395),
    },
    default="extxyz",
    subset_of=lambda material: Subset(_XYZ, material),
    note="Energies are VASP's, without the corrections of the Materials Project. A material such "
    "as mp-149 can be named as a subset.",
)
