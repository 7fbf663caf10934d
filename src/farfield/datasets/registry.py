"""The data sets that can be named: farfield's own, and those of other packages.

A package adds one by an entry point of the group ``farfield.datasets``, whose value is a
:class:`farfield.datasets.Dataset`.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib.metadata import entry_points
from types import MappingProxyType

from farfield.datasets.contract import Dataset
from farfield.datasets.sources.ani1x import ANI1X
from farfield.datasets.sources.botnet import ACETYLACETONE, THREE_BPA
from farfield.datasets.sources.embedded import EMBEDDED
from farfield.datasets.sources.fairchem import ASELMDB, OC20, OMAT24, OMOL25
from farfield.datasets.sources.kreiman2025 import KREIMAN2025
from farfield.datasets.sources.md17 import MD17
from farfield.datasets.sources.md22 import MD22
from farfield.datasets.sources.mptrj import MPTRJ
from farfield.datasets.sources.rmd17 import RMD17
from farfield.datasets.sources.spice import SPICE1, SPICE2
from farfield.datasets.synthetic.source import SYNTHETIC
from farfield.errors import DatasetError, did_you_mean

GROUP = "farfield.datasets"
DATASETS: Mapping[str, Dataset] = MappingProxyType(
    {
        dataset.name: dataset
        for dataset in (
            EMBEDDED,
            SYNTHETIC,
            MD17,
            RMD17,
            MD22,
            SPICE1,
            SPICE2,
            THREE_BPA,
            ACETYLACETONE,
            ANI1X,
            OC20,
            OMAT24,
            OMOL25,
            MPTRJ,
            KREIMAN2025,
            ASELMDB,
        )
    }
)


def dataset_names() -> tuple[str, ...]:
    """All names, those of other packages last."""
    others = {point.name for point in entry_points(group=GROUP)} - DATASETS.keys()
    return (*DATASETS, *sorted(others))


def load_dataset(name: str) -> Dataset:
    """Return the data set of that name.

    Raises
    ------
    DatasetError
        There is none, or what another package gives is none.
    """
    if name in DATASETS:
        return DATASETS[name]
    for point in entry_points(group=GROUP, name=name):
        found = point.load()
        if not isinstance(found, Dataset):
            raise DatasetError(
                f"the entry point {name} ({point.value}) is a {type(found).__name__}: it must be a "
                "farfield.datasets.Dataset"
            )
        return found
    raise DatasetError(f"no data set is called {name!r}{did_you_mean(name, dataset_names())}")
