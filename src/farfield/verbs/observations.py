"""Observe structures for a profile or a diagnosis, with a model, a prior, or both."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ase import Atoms

from farfield.potentials import Potential
from farfield.priors import Prior
from farfield.shifts import Observation, observe
from farfield.structures import without_labels
from farfield.verbs.inputs import prior_labels


def observed(
    structures: Sequence[Atoms],
    *,
    potential: Potential | None,
    prior: Prior | None,
    cutoff: float | None,
    committee: Sequence[Potential] = (),
    workers: int = 1,
    cache: Path | str | None = None,
) -> list[Observation]:
    """Observe structures stripped of their labels.

    A prior is asked for its forces wherever one is given: they are the proxy when there is no
    model; beside one they are a second proxy, and what its head of the same name is compared
    with.
    """
    bare = without_labels(structures)
    head = None
    if prior is not None and potential is not None and prior.name in potential.heads:
        head = prior.name
    labels = None
    if prior is not None:
        labels = prior_labels(bare, prior, workers=workers, cache=cache)
    return observe(
        bare,
        potential=potential,
        cutoff=cutoff,
        prior_labels=labels,
        prior_head=head,
        committee=committee,
    )
