"""The example that comes with farfield."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from farfield.datasets.contract import Block, Dataset, Source, Subset
from farfield.datasets.formats.extended_xyz import read_extended_xyz
from farfield.datasets.units import Units
from farfield.embedded import CONTROL, SHIFTED, structures_file


def _read(source: Source) -> Iterator[Block]:
    return read_extended_xyz(source, [Path(structures_file(source.subset.part))])


EMBEDDED = Dataset(
    name="embedded",
    title="Small molecules of H, C, N, O and F, with four shifted sets; comes with farfield",
    level_of_theory="wB97X/6-31G(d) (PySCF, density fitting, grid level 2)",
    licence="MIT",
    citation="this project",
    page="",
    format="extended XYZ",
    units=Units(),
    reader=_read,
    subsets={name: Subset(None, name) for name in ("train", "isolated_atoms", CONTROL, *SHIFTED)},
    default="train",
)
