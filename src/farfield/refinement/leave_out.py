"""Learn how to refine a model: train it again without groups of its training set, and look."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from ase import Atoms

from farfield.errors import CapabilityError, LabelError
from farfield.potentials import TrainablePotential, fingerprint
from farfield.potentials.create import create
from farfield.potentials.loading import load_potential
from farfield.priors import Prior
from farfield.refinement.correction.evidence import Evidence, gather_left_out, learn_rule
from farfield.refinement.correction.rule import CorrectionRule
from farfield.refinement.force_error import left_out_errors
from farfield.refinement.radius.evidence import RadiusEvidence, gather_radius_evidence
from farfield.shifts.expected_error import LeftOutError
from farfield.structures import LeftOut, leave_groups_out
from farfield.training import TrainingSettings
from farfield.training.at_once import at_once
from farfield.training.freeze import freeze, two_phases
from farfield.training.joint import joint
from farfield.training.retrofit import retrofit
from farfield.training.supervised import supervised
from farfield.training.training_set import TrainingSet

Say = Callable[[str], None]


def rule_by_leaving_out(
    potential: TrainablePotential,
    structures: Sequence[Atoms],
    prior: Prior,
    *,
    parts: int,
    folder: Path,
    epochs: int | None = None,
    say: Say = lambda line: None,
) -> CorrectionRule:
    """Learn β by training the model's like without groups of compositions.

    Parameters
    ----------
    potential
        A model that farfield trained: jointly; by freeze, with one set for both phases; or
        supervised and then retrofitted.
    structures
        Its training set, with the labels of the reference and of the prior.
    prior
        The prior whose head it has.
    parts
        Number of groups, each left out of one training.
    folder
        Where the models without a group are kept, so that a run that was stopped goes on.
    epochs
        Of each training; None takes as many as the model had.
    say
        Told of each training.

    Raises
    ------
    CapabilityError
        The model's file does not tell how farfield trained it.
    LabelError
        No group can be left out.
    """
    models = models_left_out(
        potential, structures, prior, parts=parts, folder=folder, epochs=epochs, say=say
    )
    evidence = [gather_left_out(model, structures, left, prior) for model, left in models]
    return learn_rule(Evidence.joined(evidence), prior=prior.name, head=prior.name)


def errors_by_leaving_out(
    potential: TrainablePotential,
    structures: Sequence[Atoms],
    prior: Prior,
    *,
    parts: int,
    folder: Path,
    epochs: int | None = None,
    say: Say = lambda line: None,
) -> list[LeftOutError]:
    """Both heads' errors outside training, by the same models as :func:`rule_by_leaving_out`."""
    models = models_left_out(
        potential, structures, prior, parts=parts, folder=folder, epochs=epochs, say=say
    )
    return [
        found
        for group, (model, left) in enumerate(models)
        for found in left_out_errors(model, structures, left, prior, group)
    ]


def radius_by_leaving_out(
    potential: TrainablePotential,
    structures: Sequence[Atoms],
    prior: Prior | None,
    *,
    parts: int,
    folder: Path,
    epochs: int | None = None,
    cache: Path | None = None,
    say: Say = lambda line: None,
) -> list[RadiusEvidence]:
    """Judge every way to choose a radius by the same models as :func:`rule_by_leaving_out`.

    ``prior`` may be None for a model that was trained on the reference alone; ``cache`` is the
    folder of the label cache.
    """
    models = models_left_out(
        potential, structures, prior, parts=parts, folder=folder, epochs=epochs, say=say
    )
    return gather_radius_evidence(models, structures, prior, cache)


def models_left_out(
    potential: TrainablePotential,
    structures: Sequence[Atoms],
    prior: Prior | None,
    *,
    parts: int,
    folder: Path,
    epochs: int | None = None,
    say: Say = lambda line: None,
) -> Iterator[tuple[TrainablePotential, LeftOut]]:
    """Train the model's like without each group, or read it from ``folder``, one at a time."""
    train = _recipe(potential, prior, epochs)
    left_out = leave_groups_out(structures, parts)
    if not left_out:
        raise LabelError(
            "no group of compositions can be left out of this training set without losing an "
            "element: give more compositions, or leave --leave-out away"
        )
    for place, left in enumerate(left_out):
        path = folder / f"{fingerprint(potential)}-{parts}-{place}-{epochs or 'all'}.pt"
        if not path.exists():
            group = ", ".join(sorted(left.group))
            say(f"training without {group} ({place + 1} of {len(left_out)})")
            train([structures[index] for index in left.train]).save(path)
        model = load_potential(str(path))[0]
        assert isinstance(model, TrainablePotential)  # one was saved
        yield model, left


def _recipe(
    potential: TrainablePotential, prior: Prior | None, epochs: int | None
) -> Callable[[list[Atoms]], TrainablePotential]:
    """How to train the model's like on other structures."""
    known = potential.metadata
    base = known.get("base_model", {}).get("metadata", {})
    architecture = known.get("architecture", base.get("architecture", "mace"))
    if known.get("strategy") == "supervised":
        alone = _settings(known, epochs)
        return lambda structures: _fitted(supervised(structures), architecture, alone)
    if prior is None:
        raise CapabilityError(
            f"{potential.name} was trained on a prior too: give --prior, so that its like can be "
            "trained again"
        )
    if known.get("strategy") == "freeze":
        if not known.get("pretraining", {}).get("same_structures", True):
            raise CapabilityError(
                f"{potential.name} was pre-trained on structures that are not in this training "
                "set, so its like cannot be trained again: leave --leave-out away, and correction "
                "takes its cautious rule"
            )
        both = _settings(known, epochs)
        return lambda structures: _fitted(
            two_phases(structures, structures, prior), architecture, both, freeze
        )
    if known.get("strategy") == "joint":
        first, second = _settings(known, epochs), None
    elif known.get("strategy") == "retrofit" and base.get("strategy") == "supervised":
        first, second = _settings(base, epochs), _settings(known, None)
    else:
        raise CapabilityError(
            f"{potential.name} does not tell how it was trained, so it cannot be trained again "
            "without a part of its training set: leave --leave-out away, and correction takes "
            "its cautious rule"
        )

    def train(structures: list[Atoms]) -> TrainablePotential:
        if second is None:
            return _fitted(joint(structures, prior), architecture, first)
        base_model = _fitted(supervised(structures), architecture, first)
        return retrofit(base_model, structures, prior, second)

    return train


def _fitted(
    data: TrainingSet,
    architecture: str,
    settings: TrainingSettings,
    learn: Callable[..., dict[str, Any]] = at_once,
) -> TrainablePotential:
    model = create(
        architecture,
        settings.architecture,
        structures=data.structures,
        heads=data.energies,
        scales=data.scales,
        seed=settings.seed,
    )
    learn(model, data, settings)
    return model


def _settings(metadata: dict[str, Any], epochs: int | None) -> TrainingSettings:
    settings = TrainingSettings(**metadata["settings"])
    return settings if epochs is None else settings.model_copy(update={"epochs": epochs})
