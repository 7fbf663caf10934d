"""Public data sets by name: fetched, verified, and read one structure at a time, in eV and Å."""

from farfield.datasets.contract import Block, Dataset, File, Source, Subset
from farfield.datasets.fetching import FOLDER_VARIABLE, checksum_state, datasets_folder, fetch
from farfield.datasets.frames import labelled
from farfield.datasets.reading import Reference, read_reference, stream
from farfield.datasets.registry import DATASETS, dataset_names, load_dataset
from farfield.datasets.stream import Choice, Stream
from farfield.datasets.units import Units

__all__ = [
    "DATASETS",
    "FOLDER_VARIABLE",
    "Block",
    "Choice",
    "Dataset",
    "File",
    "Reference",
    "Source",
    "Stream",
    "Subset",
    "Units",
    "checksum_state",
    "dataset_names",
    "datasets_folder",
    "fetch",
    "labelled",
    "load_dataset",
    "read_reference",
    "stream",
]
