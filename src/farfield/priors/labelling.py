"""Label many structures with a prior: in parallel, resumable, nothing computed twice."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ase import Atoms
from threadpoolctl import threadpool_limits

from farfield.errors import ConfigError
from farfield.priors.cache import LabelCache, key_of, open_cache
from farfield.priors.contract import Failure, Prior
from farfield.priors.evaluator import Evaluator
from farfield.priors.pool import Record, label_in_processes
from farfield.priors.progress import progress_bar
from farfield.structures import Labels, without_labels


@dataclass(frozen=True)
class Labelled:
    """The outcome for every structure, and what it took.

    Attributes
    ----------
    outcomes
        Labels or failure, one per structure, in the order given.
    n_computed
        How many were computed; the others came from the cache or repeat a structure.
    """

    outcomes: list[Labels | Failure]
    n_computed: int


def label(
    structures: Sequence[Atoms],
    prior: Prior,
    *,
    workers: int = 1,
    cache: LabelCache | None = None,
    retry_failures: bool = False,
    progress: bool | None = None,
) -> list[Labels | Failure]:
    """Return labels or failure for every structure; see :func:`label_counted`."""
    counted = label_counted(
        structures,
        prior,
        workers=workers,
        cache=cache,
        retry_failures=retry_failures,
        progress=progress,
    )
    return counted.outcomes


def label_in_folder(
    structures: Sequence[Atoms], prior: Prior, folder: Path | None, workers: int = 1
) -> list[Labels | Failure]:
    """Label with the cache in a folder; without one, nothing is kept and no bar is drawn."""
    progress = False if folder is None else None
    with open_cache(folder) as cache:
        return label(structures, prior, workers=workers, cache=cache, progress=progress)


def label_counted(
    structures: Sequence[Atoms],
    prior: Prior,
    *,
    workers: int = 1,
    cache: LabelCache | None = None,
    retry_failures: bool = False,
    progress: bool | None = None,
) -> Labelled:
    """Label every structure, and count what was computed.

    A structure that the prior cannot do gets a :class:`Failure` and the run goes on. Every
    result is in the cache as soon as it is there, so a run that was stopped continues.
    Structures that are equal to the last bit are computed once.

    Parameters
    ----------
    structures, prior
        What to label, and with what; the structures are not changed.
    workers
        Processes, of one thread each; 1 computes in this process.
    cache
        Where results are looked up and kept; None keeps nothing.
    retry_failures
        Compute again what is a failure in the cache.
    progress
        Whether to draw a progress bar on standard error; None: if that is a terminal.

    Raises
    ------
    DependencyError, ConfigError
        The prior's calculator cannot be made, or ``workers`` is less than 1.
    LabelError
        The cache cannot be used, or the worker processes cannot start.
    """
    if workers < 1:
        raise ConfigError(f"workers={workers}: at least 1 process is needed")
    bare = without_labels(structures)
    keys = [key_of(atoms, prior.level_of_theory) for atoms in bare]
    known: dict[str, Labels | Failure] = {}
    missing: dict[str, Atoms] = {}
    for key, atoms in zip(keys, bare, strict=True):
        if key in known or key in missing:
            continue
        found = cache.get(key) if cache is not None else None
        if found is None or (retry_failures and isinstance(found, Failure)):
            missing[key] = atoms
        else:
            known[key] = found
    wanted = list(missing)
    with progress_bar(prior.level_of_theory, len(wanted), progress) as advance:

        def record(index: int, outcome: Labels | Failure) -> None:
            key = wanted[index]
            known[key] = outcome
            if cache is not None:
                cache.put(key, outcome, prior.level_of_theory)
            advance()

        _compute(prior, list(missing.values()), workers, record)
    return Labelled([known[key] for key in keys], n_computed=len(wanted))


def _compute(prior: Prior, structures: list[Atoms], workers: int, record: Record) -> None:
    if not structures:
        return
    evaluator = Evaluator(prior)  # also for workers: what is not installed is reported here
    if min(workers, len(structures)) > 1:
        label_in_processes(prior, structures, min(workers, len(structures)), record)
        return
    with threadpool_limits(1):
        for index, atoms in enumerate(structures):
            record(index, evaluator(atoms))
