"""Public data sets: the verb ``data``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from farfield.datasets import (
    Dataset,
    File,
    Reference,
    checksum_state,
    dataset_names,
    datasets_folder,
    fetch,
    load_dataset,
    stream,
)
from farfield.datasets.fetching import place_of
from farfield.structures import write


def all_sets() -> list[dict[str, str]]:
    """Name, title, level of theory and licence of every data set."""
    sets = [load_dataset(name) for name in dataset_names()]
    return [
        {
            "name": dataset.name,
            "title": dataset.title,
            "level_of_theory": dataset.level_of_theory,
            "licence": dataset.licence,
        }
        for dataset in sets
    ]


def describe_set(name: str) -> dict[str, Any]:
    """All that is known of a data set, or of one subset of it where one is named."""
    name = name.partition("@")[0].removeprefix("dataset:")
    word, _, subset = name.partition(":")
    dataset = load_dataset(word)
    subsets = {subset: dataset.subset(subset)} if subset else dataset.subsets
    return {
        "name": dataset.name,
        "title": dataset.title,
        "level_of_theory": dataset.level_of_theory,
        "licence": dataset.licence,
        "citation": dataset.citation,
        "page": dataset.page,
        "format": dataset.format,
        "units_of_the_files": f"{dataset.units.energy}, {dataset.units.length}",
        "extra": dataset.extra,
        "note": dataset.note,
        "folder": str(datasets_folder() / dataset.name),
        "subsets": {key: part.n_structures for key, part in subsets.items()},
        "files": _files(dataset, [part.file for part in subsets.values()]),
    }


def _files(dataset: Dataset, files: list[File | None]) -> list[dict[str, Any]]:
    return [
        {
            "file": file.name,
            "url": file.url,
            "bytes": file.size,
            "checksum": file.checksum,
            "checksum_state": checksum_state(file),
            "here": place_of(dataset, file).exists(),
        }
        for file in dict.fromkeys(files)
        if file is not None
    ]


def text_of(described: dict[str, Any]) -> str:
    """The description in lines."""
    lines = []
    for key, value in described.items():
        if key == "subsets":
            words = [f"{name} ({count})" if count else name for name, count in value.items()]
            lines.append(f"{'subsets':20}{', '.join(words)}")
        elif key == "files":
            for file in value:
                where = "here" if file["here"] else file["url"] or "to be fetched by hand"
                size = f"{file['bytes'] / 1e9:.1f} GB; " if file["bytes"] else ""
                told = f"{where}; {size}checksum: {file['checksum_state']}"
                lines.append(f"{file['file']:19} {told}")
        elif value:
            lines.append(f"{key.replace('_', ' '):20}{value}")
    return "\n".join(lines)


def get(reference: str, output: Path | str | None = None) -> dict[str, Any]:
    """Fetch the file of a reference and verify it; write its structures to ``output``.

    Returns
    -------
    dict
        ``reference``, ``path`` of the file or folder, and ``n_structures`` and ``n_skipped``
        when ``output`` was written.

    Raises
    ------
    DatasetError
        It cannot be fetched, is not the published file, or cannot be read.
    """
    wanted = Reference.parse(reference)
    file = wanted.subset.file
    path = wanted.subset.part if file is None else str(fetch(wanted.dataset, file))
    done: dict[str, Any] = {"reference": reference, "path": path}
    if output is not None:
        structures = stream(reference)
        found = list(structures)
        write(output, found)
        done |= {"n_structures": len(found), "n_skipped": structures.n_skipped}
    return done
