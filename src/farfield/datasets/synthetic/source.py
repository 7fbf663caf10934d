"""The synthetic sets as a data set: ``synthetic:train`` makes them when they are first read."""

from __future__ import annotations

import re
from collections.abc import Iterator

from farfield.datasets.contract import Block, Dataset, Source, Subset
from farfield.datasets.fetching import datasets_folder
from farfield.datasets.formats.extended_xyz import read_extended_xyz
from farfield.datasets.synthetic.molecules import SETS
from farfield.datasets.units import Units
from farfield.errors import DatasetError, did_you_mean

SIZE, SEED = 600, 0
ISOLATED = "isolated_atoms"
_NAME = re.compile(r"n(?P<size>[1-9]\d*)-seed(?P<seed>\d+)/(?P<set>\w+)")


def _subset(name: str) -> Subset:
    found = _NAME.fullmatch(name)
    known = (*SETS, ISOLATED)
    if found is None or found["set"] not in known:
        asked = name if found is None else found["set"]
        raise DatasetError(
            f"synthetic has no subset {name!r}{did_you_mean(asked, known)}; another size is named "
            "as in synthetic:n2000-seed1/train"
        )
    return Subset(None, name)


def _read(source: Source) -> Iterator[Block]:
    from farfield.datasets.synthetic.making import RECORD, make_synthetic  # priors stand above

    recipe, _, name = source.subset.part.partition("/")
    folder = datasets_folder() / "synthetic" / recipe
    if not (folder / RECORD).exists():
        found = _NAME.fullmatch(source.subset.part)
        assert found is not None  # as _subset saw
        make_synthetic(folder, size=int(found["size"]), seed=int(found["seed"]))
    return read_extended_xyz(source, [folder / f"{name}.extxyz"])


SYNTHETIC = Dataset(
    name="synthetic",
    title="Synthetic shifts: small molecules along one axis at a time, labelled on the spot",
    level_of_theory="GFN2-xTB (tblite)",
    licence="MIT",
    citation="this project",
    page="",
    format="extended XYZ",
    units=Units(),
    reader=_read,
    subsets={name: Subset(None, f"n{SIZE}-seed{SEED}/{name}") for name in (*SETS, ISOLATED)},
    subset_of=_subset,
    extra="xtb,rdkit",
    note="Made when first read (about half a minute for 600 structures on one core) with GFN1-xTB "
    "beside it as farfield_gfn1. Another size and seed: synthetic:n2000-seed1/train.",
)
