"""The table of data sets in ``docs/data.md``: ``python -m farfield.datasets.table`` prints it."""

from __future__ import annotations

from farfield.datasets.contract import Dataset
from farfield.datasets.registry import DATASETS

_HEAD = (
    "| name | content | structures | level of theory | licence | cite | size | checksum | format |"
)


def markdown() -> str:
    """The table, one line for each of farfield's own data sets."""
    lines = [_HEAD, "|---" * _HEAD.count(" | ") + "|---|"]
    lines += [f"| {' | '.join(_cells(dataset))} |" for dataset in DATASETS.values()]
    return "\n".join(lines) + "\n"


def _cells(dataset: Dataset) -> list[str]:
    files = {subset.file for subset in dataset.subsets.values() if subset.file is not None}
    sizes = [file.size for file in files if file.size is not None]
    return [
        f"`{dataset.name}`",
        dataset.title.partition(": ")[2] or dataset.title,
        _structures(dataset),
        dataset.level_of_theory,
        dataset.licence,
        dataset.citation,
        f"{sum(sizes) / 1e9:.1f} GB" if sizes and len(sizes) == len(files) else "",
        _checksums(dataset),
        dataset.format,
    ]


def _structures(dataset: Dataset) -> str:
    """Those of the subsets that are no part of another one, where all are published."""
    counts = [part.n_structures for part in dataset.subsets.values() if not part.indices]
    if not counts or None in counts:
        return ""
    return f"{sum(count for count in counts if count is not None):,}"


def _checksums(dataset: Dataset) -> str:
    files = {subset.file for subset in dataset.subsets.values() if subset.file is not None}
    if not files:
        return ""
    kinds = {file.checksum.partition(":")[0] or "first use" for file in files}
    return ", ".join(sorted(kinds))


if __name__ == "__main__":
    print(markdown(), end="")
