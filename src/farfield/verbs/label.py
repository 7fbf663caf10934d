"""Label structures with a prior: the verb ``label``."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

from ase import Atoms

from farfield.errors import LabelError
from farfield.priors import Failure, LabelCache, Prior, default_cache_dir, label_counted, load_prior
from farfield.structures import Labels, attach, describe, write
from farfield.verbs.inputs import Structures, structures_of


@dataclass(frozen=True)
class LabelSummary:
    """What a run of :func:`label` did.

    Attributes
    ----------
    prior, level_of_theory
        The prior's name, and the level of theory of its labels.
    n_structures
        ``n_computed + n_cached``.
    n_computed
        Structures computed now.
    n_cached
        Structures known from the cache, or equal to one that was computed now.
    n_failed
        Structures without labels, computed now or earlier.
    first_failure
        The first structure without labels, and the reason; None when there is none.
    seconds
        Wall time, s.
    """

    prior: str
    level_of_theory: str
    n_structures: int
    n_computed: int
    n_cached: int
    n_failed: int
    first_failure: str | None
    seconds: float


def label(
    structures: Structures,
    prior: Prior | str,
    *,
    workers: int = 1,
    cache: Path | str | None = None,
    retry_failures: bool = False,
    output: Path | str | None = None,
    progress: bool | None = None,
) -> tuple[list[Atoms], LabelSummary]:
    """Label structures with a prior; copies are returned, with the labels attached.

    Labels are stored under ``farfield_{prior.name}_energy`` (eV) and ``_forces`` (eV/Å); see
    :mod:`farfield.structures.labels`. Where the prior failed there is
    ``info["farfield_{prior.name}_failure"]`` with the reason instead.

    Parameters
    ----------
    structures
        Structures, or files of structures.
    prior
        A prior, or what :func:`farfield.priors.load_prior` takes, such as ``"gfn2"``.
    workers
        Processes, of one thread each.
    cache
        Folder of the cache; None takes :func:`farfield.priors.default_cache_dir`.
    retry_failures
        Compute again what failed in an earlier run.
    output
        An extended-XYZ file to write; None writes nothing.
    progress
        Whether to draw a progress bar on standard error; None: if that is a terminal.

    Raises
    ------
    StructureError
        A file or a structure cannot be used.
    LabelError
        Every structure failed (``output`` is written all the same), or the cache is damaged.
    """
    begin = time.perf_counter()
    chosen = load_prior(prior)
    labelled = structures_of(structures)
    with LabelCache(default_cache_dir() if cache is None else cache) as opened:
        counted = label_counted(
            labelled,
            chosen,
            workers=workers,
            cache=opened,
            retry_failures=retry_failures,
            progress=progress,
        )
    failures = []
    for atoms, outcome in zip(labelled, counted.outcomes, strict=True):
        _store(atoms, outcome, chosen.label_name)
        if isinstance(outcome, Failure):
            failures.append(f"{describe(atoms)}: {outcome.reason}")
    if output is not None:
        write(output, labelled)
    if labelled and len(failures) == len(labelled):
        raise LabelError(
            f"{chosen.name} gave no labels for any of {len(labelled)} structures; the first: "
            f"{failures[0]}"
        )
    summary = LabelSummary(
        prior=chosen.name,
        level_of_theory=chosen.level_of_theory,
        n_structures=len(labelled),
        n_computed=counted.n_computed,
        n_cached=len(labelled) - counted.n_computed,
        n_failed=len(failures),
        first_failure=failures[0] if failures else None,
        seconds=time.perf_counter() - begin,
    )
    return labelled, summary


def _store(atoms: Atoms, outcome: Labels | Failure, name: str) -> None:
    """Attach the outcome, in place of all that an earlier run left under ``name``."""
    for key in ("energy", "stress", "level_of_theory", "failure"):
        atoms.info.pop(f"{name}_{key}", None)
    atoms.arrays.pop(f"{name}_forces", None)
    if isinstance(outcome, Failure):
        atoms.info[f"{name}_failure"] = outcome.reason
    else:
        attach(atoms, outcome, name)
