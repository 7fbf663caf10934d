"""What a profile learns by leaving groups of the training set out of training."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from ase import Atoms

from farfield.errors import ConfigError
from farfield.potentials import Potential, require_trainable
from farfield.priors import Prior, require
from farfield.refinement.correction import require_head
from farfield.refinement.leave_out import rule_by_leaving_out
from farfield.structures import attach
from farfield.verbs.inputs import prior_labels


def learned_rule(
    structures: Sequence[Atoms],
    *,
    potential: Potential | None,
    prior: Prior | None,
    parts: int,
    epochs: int | None,
    folder: Path | None,
    workers: int,
    cache: Path | str | None,
    say: Callable[[str], None],
) -> dict[str, Any]:
    """Return how prior correction chooses β for this model, as plain values for a profile.

    ``structures`` are the whole training set with reference labels, its isolated atoms among
    them; ``folder`` keeps the models that are trained on the way.
    """
    if potential is None or prior is None:
        raise ConfigError("--leave-out needs --model and --prior: it learns how to correct them")
    if folder is None:
        raise ConfigError("--leave-out needs --output: models are kept in a folder beside it")
    require_head(potential, prior)
    copies = [atoms.copy() for atoms in structures]
    outcomes = prior_labels(copies, prior, workers=workers, cache=cache)
    for atoms, outcome in zip(copies, outcomes, strict=True):
        attach(atoms, require(outcome, atoms, prior), prior.label_name)
    rule = rule_by_leaving_out(
        require_trainable(potential, "leaving groups out of training"),
        copies,
        prior,
        parts=parts,
        folder=folder,
        epochs=epochs,
        say=say,
    )
    return rule.to_plain()
