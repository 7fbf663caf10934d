"""ANI-1x: organic molecules far from equilibrium, chosen by active learning."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from ase import Atoms

from farfield.datasets.contract import Block, Dataset, File, Source, Subset
from farfield.datasets.formats import hdf5
from farfield.datasets.frames import labelled
from farfield.datasets.units import Units

_POSITIONS, _ENERGY, _FORCES = "coordinates", "wb97x_dz.energy", "wb97x_dz.forces"


def _read(source: Source) -> Iterator[Block]:
    """One block for each formula; where a label is NaN, the structure has none."""
    with hdf5.opened(source.path) as handle:
        for group in handle.values():
            keys = (_POSITIONS, _ENERGY, _FORCES)
            hdf5.require(group, ("atomic_numbers", *keys), source.path)
            count = hdf5.count_of(group, keys, len(group["atomic_numbers"]), source.path)

            def read(places: Sequence[int], group: Any = group) -> Iterator[Atoms | None]:
                return _structures(source, group, places)

            yield Block(count, read)


def _structures(source: Source, group: Any, places: Sequence[int]) -> Iterator[Atoms | None]:
    numbers = group["atomic_numbers"][()]
    for place in places:
        energy, forces = group[_ENERGY][place], group[_FORCES][place]
        if np.isnan(energy).any() or np.isnan(forces).any():
            yield None
            continue
        yield labelled(
            source,
            numbers,
            group[_POSITIONS][place],
            energy,
            forces,
            where=f"{source.path.name}, {group.name}, structure {place}",
        )


ANI1X = Dataset(
    name="ani1x",
    title="ANI-1x: organic molecules of H, C, N and O far from equilibrium",
    level_of_theory="wB97X/6-31G(d) (ANI-1x)",
    licence="CC0 1.0",
    citation="Smith et al., Sci. Data 7, 134 (2020), doi:10.1038/s41597-020-0473-z",
    page="https://github.com/aiqm/ANI1x_datasets",
    format="HDF5",
    units=Units("Hartree", "Å"),
    reader=_read,
    subsets={
        "all": Subset(
            File(
                "ani1x-release.h5",
                "https://springernature.figshare.com/ndownloader/files/18112775",
                "md5:98090dd6679106da861f52bed825ffb7",
            )
        )
    },
    default="all",
    extra="data",
    note="Structures whose energy or forces are missing (NaN) are skipped and counted.",
)
