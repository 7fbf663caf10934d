"""Retrofit: a prior head for a model that is trained already, without a reference label.

The new head starts from the main head's weights and learns the prior's labels. Meanwhile the
representation either stays as it is, and with it every prediction of the old heads; or it moves
too, and the old heads are held to what the model itself predicted before.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from ase import Atoms

from farfield.errors import CapabilityError, LabelError
from farfield.potentials import TrainablePotential, fingerprint
from farfield.priors import Prior
from farfield.structures import UNKNOWN_LEVEL, Labels, require_labels, without_labels
from farfield.training.loop import Report, fit, force_errors
from farfield.training.new_head import own_labels, with_prior_head
from farfield.training.samples import Sample
from farfield.training.settings import TrainingSettings
from farfield.training.statistics import isolated_atoms


def retrofit(
    potential: TrainablePotential,
    structures: Sequence[Atoms],
    prior: Prior,
    settings: TrainingSettings,
    *,
    scaled: bool = True,
    checkpoint: Path | None = None,
    report: Report = lambda record: None,
) -> TrainablePotential:
    """Return a copy of ``potential`` with a head for ``prior``, fitted to the prior's labels.

    Parameters
    ----------
    potential
        A trained model without that head; it is not changed.
    structures
        Structures like those it was trained on, with the labels of the prior
        (:func:`farfield.label`). Reference labels are not read. Single atoms among them give
        isolated-atom energies, and with them elements that the new head knows.
    prior
        Whose labels the new head learns.
    settings
        Of the fit, see :meth:`TrainingSettings.for_strategy`; ``update`` says what moves, and
        ``held_out`` how many of the structures are kept to judge by.
    scaled
        Whether the new head's forces start at the size of the prior's, or as the main head's.
    checkpoint, report
        As for :func:`farfield.training.fit`.

    Returns
    -------
    The model. Its ``metadata`` say what it was made from, and how it does on the structures
    that were held out: ``residual_rms_eV_per_A`` and ``residual_mae_eV_per_A``, root mean
    square and mean absolute value over the force components of the prior head's error;
    ``prior_rms_eV_per_A``, the former of the prior's forces themselves; and
    ``drift_mae_eV_per_A``, by how much the forces of each old head have changed.

    Raises
    ------
    CapabilityError
        The model has that head already.
    LabelError
        A structure has no labels of the prior, or there are fewer than two structures.
    """
    refuse_second_head(potential, prior)
    labels = require_labels(
        structures, prior.label_name, energy=True, purpose=f"the head of {prior.name}"
    )
    bare = without_labels(structures)
    kept = [place for place, single in enumerate(isolated_atoms(bare)) if not single]
    learned, held_out = _split(len(kept), settings)
    grown = with_prior_head(potential, prior.name, bare, labels, scaled=scaled)
    chosen = [bare[place] for place in kept]
    taught = {head: own_labels(potential, chosen, head) for head in potential.heads}
    taught[prior.name] = [labels[place] for place in kept]

    heads = list(taught) if settings.update == "all" else [prior.name]
    judged = {head: _samples(chosen, taught, [head], held_out) for head in taught}
    history = fit(
        grown,
        _samples(chosen, taught, heads, learned),
        settings,
        frozen=() if settings.update == "all" else grown.representation_parameters().values(),
        validation=judged[prior.name],
        checkpoint=checkpoint,
        report=report,
    )
    errors = {head: force_errors(grown, samples) for head, samples in judged.items()}
    residual = errors.pop(prior.name)
    known = np.concatenate([labels[kept[place]].known_forces for place in held_out])
    grown.metadata = {
        **_origin(potential, prior),
        "settings": settings.model_dump(),
        "n_structures": len(learned),
        "n_held_out": len(held_out),
        "residual_rms_eV_per_A": float(np.sqrt(np.mean(residual**2))),
        "residual_mae_eV_per_A": float(np.mean(np.abs(residual))),
        "prior_rms_eV_per_A": float(np.sqrt(np.mean(known**2))),
        "drift_mae_eV_per_A": {head: float(np.mean(np.abs(e))) for head, e in errors.items()},
        "history": history,
    }
    return grown


def refuse_second_head(potential: TrainablePotential, prior: Prior) -> None:
    """Raise if ``potential`` has a head for ``prior`` already."""
    if prior.name in potential.heads:
        raise CapabilityError(
            f"{potential.name} has a head for the prior {prior.name!r} already "
            f"({', '.join(potential.heads)}): use it as it is, there is nothing to retrofit"
        )


def _split(count: int, settings: TrainingSettings) -> tuple[list[int], list[int]]:
    """Places to learn from and to judge by."""
    if count < 2:
        raise LabelError(
            f"retrofit was given {count} structures of more than one atom and needs at least 2, "
            "one of them to judge by: add structures like those the model was trained on"
        )
    order = np.random.default_rng(settings.seed).permutation(count).tolist()
    judged = min(max(1, round(settings.held_out * count)), count - 1)
    return sorted(order[judged:]), sorted(order[:judged])


def _samples(
    structures: Sequence[Atoms],
    taught: dict[str, list[Labels]],
    heads: Sequence[str],
    places: Sequence[int],
) -> list[Sample]:
    return [
        Sample(structures[place], head, taught[head][place]) for head in heads for place in places
    ]


def _origin(base: TrainablePotential, prior: Prior) -> dict[str, Any]:
    """What a retrofitted model was made from."""
    known = base.metadata.get("levels_of_theory", {})
    levels = {head: known.get(head, UNKNOWN_LEVEL) for head in base.heads}
    return {
        "strategy": "retrofit",
        "prior": prior.name,
        "levels_of_theory": {**levels, prior.name: prior.level_of_theory},
        "base_model": {
            "name": base.name,
            "fingerprint": fingerprint(base),
            "metadata": base.metadata,
        },
    }
