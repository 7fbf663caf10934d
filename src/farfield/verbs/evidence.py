"""What a profile learns by leaving groups of the training set out of training."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from ase import Atoms

from farfield.errors import ConfigError
from farfield.potentials import Potential, require_trainable
from farfield.priors import Prior, default_cache_dir, require
from farfield.refinement.correction.refinement import require_head
from farfield.refinement.leave_out import (
    errors_by_leaving_out,
    radius_by_leaving_out,
    rule_by_leaving_out,
)
from farfield.shifts.expected_error import to_plain
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
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Return how prior correction chooses β for this model, as plain values for a profile.

    And both heads' errors on what was left out, for the estimate of the force error.

    ``structures`` are the whole training set with reference labels, its isolated atoms among
    them; ``folder`` keeps the models that are trained on the way.
    """
    if potential is None or prior is None:
        raise ConfigError("--leave-out needs --model and --prior: it learns how to correct them")
    if folder is None:
        raise ConfigError("--leave-out needs --output: models are kept in a folder beside it")
    require_head(potential, prior)
    copies = _with_prior_labels(structures, prior, workers, cache)
    trainable = require_trainable(potential, "leaving groups out of training")
    asked: dict[str, Any] = {"parts": parts, "folder": folder, "epochs": epochs, "say": say}
    rule = rule_by_leaving_out(trainable, copies, prior, **asked)
    return rule.to_plain(), to_plain(errors_by_leaving_out(trainable, copies, prior, **asked))


def learned_radius(
    structures: Sequence[Atoms],
    *,
    potential: Potential,
    prior: Prior | None,
    parts: int,
    epochs: int | None,
    folder: Path | None,
    workers: int,
    cache: Path | str | None,
    say: Callable[[str], None],
) -> list[dict[str, Any]]:
    """Return how much every way to choose a radius would have helped, for a profile.

    By the same models as :func:`learned_rule`. Empty for a model whose radius cannot be changed.
    """
    if not potential.cutoff_modes:
        return []
    if folder is None:
        raise ConfigError("--leave-out needs --output: models are kept in a folder beside it")
    copies = list(structures)
    if prior is not None:
        copies = _with_prior_labels(structures, prior, workers, cache)
    found = radius_by_leaving_out(
        require_trainable(potential, "leaving groups out of training"),
        copies,
        prior,
        parts=parts,
        folder=folder,
        epochs=epochs,
        cache=default_cache_dir() if cache is None else Path(cache),
        say=say,
    )
    return [evidence.to_plain() for evidence in found]


def _with_prior_labels(
    structures: Sequence[Atoms], prior: Prior, workers: int, cache: Path | str | None
) -> list[Atoms]:
    copies = [atoms.copy() for atoms in structures]
    outcomes = prior_labels(copies, prior, workers=workers, cache=cache)
    for atoms, outcome in zip(copies, outcomes, strict=True):
        attach(atoms, require(outcome, atoms, prior), prior.label_name)
    return copies
