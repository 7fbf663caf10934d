"""What every verb takes: structures or files of them, a prior's labels, a fitting profile."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from ase import Atoms

from farfield.errors import ProfileError
from farfield.potentials import Potential, fingerprint
from farfield.priors import Failure, LabelCache, Prior, default_cache_dir
from farfield.priors import label as label_with
from farfield.shifts import Profile
from farfield.structures import Labels, check, read
from farfield.structures.naming import name_reference

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
            copy = item.copy()
            copy.calc = item.calc  # its results, if it has any of this geometry, are labels
            name_reference(copy)
            found.append(copy)
        else:
            found.extend(read(item))
    return found


def parts_of(given: Structures, size: int) -> Iterator[list[Atoms]]:
    """The same structures, at most ``size`` at a time; files are read one after the other."""
    items: Sequence[Atoms | Path | str]
    items = [given] if isinstance(given, (str, Path, Atoms)) else given
    waiting: list[Atoms] = []
    for item in items:
        waiting += structures_of(item)
        while len(waiting) >= size:
            yield waiting[:size]
            waiting = waiting[size:]
    if waiting:
        yield waiting


def command_line(verb: str, given: Structures, options: Mapping[str, object]) -> str:
    """The shell command that does the same; empty when something was given as an object."""
    words: list[object] = ["farfield", verb, *_listed(given)]
    for key, value in options.items():
        for item in _listed(value):
            words += [f"--{key}", item]
    if not all(isinstance(word, (str, Path)) for word in words):
        return ""
    return shlex.join(map(str, words))


def _listed(value: object) -> list[object]:
    if value is None:
        return []
    return list(value) if isinstance(value, (list, tuple)) else [value]


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


def require_same_model(profile: Profile, potential: Potential) -> None:
    """Raise unless the profile was made with this very model."""
    known = profile.header["model_fingerprint"]
    if known is None:
        raise ProfileError(
            "the profile was made without a model, so this model's forces have nothing to be "
            "compared with: make one with  farfield profile --model"
        )
    if known != fingerprint(potential):
        raise ProfileError(
            f"the profile was made with another model than this {potential.name} (its weights or "
            "its cutoff differ): make one with  farfield profile --model  and this model"
        )
