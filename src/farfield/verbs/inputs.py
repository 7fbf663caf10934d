"""What every verb takes: structures or files of them, and a prior's labels through the cache."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ase import Atoms

from farfield.priors import Failure, LabelCache, Prior, default_cache_dir
from farfield.priors import label as label_with
from farfield.structures import Labels, check, read

Structures = Atoms | Path | str | Sequence[Atoms] | Sequence[Path | str]


def structures_of(given: Structures) -> list[Atoms]:
    """Copies of the structures, or the structures of the files; every one is checked."""
    if isinstance(given, (str, Path)):
        return read(given)
    items = [given] if isinstance(given, Atoms) else list(given)
    found: list[Atoms] = []
    for item in items:
        if isinstance(item, Atoms):
            check(item)
            found.append(item.copy())
        else:
            found.extend(read(item))
    return found


def prior_labels(
    structures: Sequence[Atoms],
    prior: Prior,
    *,
    workers: int = 1,
    cache: Path | str | None = None,
) -> list[Labels | Failure]:
    """Label structures with a prior, through the cache (a folder; None takes the default)."""
    with LabelCache(default_cache_dir() if cache is None else cache) as opened:
        return label_with(structures, prior, workers=workers, cache=opened)
