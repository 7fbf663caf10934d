"""Train a model, with or without a prior head: the verb ``train``."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from ase import Atoms

from farfield.errors import ConfigError, did_you_mean
from farfield.potentials import Potential, TrainablePotential, require_trainable
from farfield.potentials.create import create
from farfield.priors import Failure, Prior, load_prior
from farfield.refinement import load_model
from farfield.structures import Labels, attach, describe, require_labels, without_labels
from farfield.training import Sample, TrainingSettings, fit
from farfield.training.retrofit import refuse_second_head, retrofit
from farfield.training.statistics import isolated_atoms
from farfield.training.strategies import (
    MAIN_HEAD,
    STRATEGIES,
    TrainingSet,
    joint,
    supervised,
)
from farfield.verbs.inputs import Structures, prior_labels, structures_of

Report = Callable[[dict[str, float]], None]


def train(
    structures: Structures,
    *,
    strategy: str,
    architecture: str = "mace",
    model: Potential | str | None = None,
    prior: Prior | str | None = None,
    valid: Structures | None = None,
    settings: TrainingSettings | None = None,
    workers: int = 1,
    cache: Path | str | None = None,
    output: Path | str | None = None,
    report: Report = lambda record: None,
) -> TrainablePotential:
    """Train a model on labelled structures, or give a trained one a prior head.

    Parameters
    ----------
    structures
        Structures with reference energies and forces, or files of them. Single atoms among
        them give the isolated-atom energies, and the model will know their elements. For
        ``"retrofit"``: structures like those that ``model`` was trained on; they need no
        labels, and the reference's are not read.
    strategy
        ``"supervised"``, ``"joint"`` (needs ``prior``) or ``"retrofit"`` (needs ``prior`` and
        ``model``; see :func:`farfield.training.retrofit.retrofit`).
    architecture
        Of a new model: ``"mace"``, or another of
        :func:`farfield.potentials.adapters.architectures`.
    model
        A model to start from; None builds a new one.
    prior
        Whose labels the second head learns; they are computed here.
    valid
        Structures to judge by during the run; a retrofit holds out its own.
    settings
        Epochs, rates, the architecture's size, the seed. What is not set takes the strategy's
        default, see :meth:`farfield.training.TrainingSettings.for_strategy`.
    workers, cache
        For labelling with the prior.
    output
        The model file to write; a ``.checkpoint`` file beside it lets a killed run go on.
    report
        Called with the record of each epoch.

    Raises
    ------
    ConfigError
        An unknown strategy, or something that it needs is missing.
    CapabilityError
        The model cannot be trained, or has a head for the prior to retrofit already.
    LabelError
        Missing or mixed labels.
    """
    if strategy not in STRATEGIES:
        raise ConfigError(f"unknown strategy {strategy!r}{did_you_mean(strategy, STRATEGIES)}")
    settings = (settings or TrainingSettings()).for_strategy(strategy)
    given = structures_of(structures)
    start = None
    if model is not None:
        start = require_trainable(load_model(model), "training").clone()
    target = None if output is None else Path(output)
    checkpoint = None if target is None else target.with_name(target.name + ".checkpoint")
    if strategy == "retrofit":
        if start is None or prior is None:
            raise ConfigError("retrofit needs --model, a trained one, and --prior, such as gfn2")
        if valid is not None:
            raise ConfigError("retrofit judges by a share of its structures: leave --valid away")
        chosen = load_prior(prior)
        refuse_second_head(start, chosen)
        labelled = _for_retrofit(given, start, chosen, workers, cache)
        potential = retrofit(
            start, labelled, chosen, settings, checkpoint=checkpoint, report=report
        )
    else:
        main = MAIN_HEAD if start is None else start.heads[0]
        if strategy == "joint":
            if prior is None:
                raise ConfigError("joint training needs --prior, such as gfn2")
            chosen = load_prior(prior)
            outcomes = prior_labels(given, chosen, workers=workers, cache=cache)
            _attach_prior(given, outcomes, chosen)
            training_set = joint(given, chosen, main)
        else:
            training_set = supervised(given, main)
        potential = _started(start, training_set, architecture, settings)
        history = fit(
            potential,
            training_set.samples,
            settings,
            validation=[] if valid is None else _validation(structures_of(valid), main),
            checkpoint=checkpoint,
            report=report,
        )
        potential.metadata.update(
            strategy=strategy,
            levels_of_theory=training_set.levels,
            settings=settings.model_dump(),
            n_structures=len(training_set.structures),
            history=history,
        )
    if target is not None and checkpoint is not None:
        potential.save(target)
        checkpoint.unlink(missing_ok=True)
    return potential


def _started(
    start: TrainablePotential | None,
    training_set: TrainingSet,
    architecture: str,
    settings: TrainingSettings,
) -> TrainablePotential:
    """A new model, or the given one with the heads that it lacks."""
    if start is None:
        return create(
            architecture,
            settings.architecture,
            structures=training_set.structures,
            heads=training_set.energies,
            scales=training_set.scales,
            seed=settings.seed,
        )
    start.require_species(training_set.structures)
    for head, energies in training_set.energies.items():
        if head not in start.heads:
            scale = training_set.scales[head] / training_set.scales[start.heads[0]]
            start = start.with_head(head, energies, scale)
    return start


def _attach_prior(
    structures: Sequence[Atoms], outcomes: Sequence[Labels | Failure], prior: Prior
) -> None:
    for atoms, outcome in zip(structures, outcomes, strict=True):
        if isinstance(outcome, Failure):
            raise ConfigError(
                f"{describe(atoms)}: the prior {prior.name} gave no labels ({outcome.reason}): "
                "take the structure out of the training set"
            )
        attach(atoms, outcome, prior.label_name)


def _for_retrofit(
    structures: Sequence[Atoms],
    potential: TrainablePotential,
    prior: Prior,
    workers: int,
    cache: Path | str | None,
) -> list[Atoms]:
    """Copies without labels but the prior's, and with an isolated atom of each element.

    The model's elements that the structures lack are added, so that the new head knows them
    too. An isolated atom that the prior cannot do is left out.
    """
    bare = without_labels(structures)
    there = {
        int(atoms.numbers[0])
        for atoms, single in zip(bare, isolated_atoms(bare), strict=True)
        if single
    }
    bare += [Atoms([number]) for number in sorted((potential.species or set()) - there)]
    outcomes = prior_labels(bare, prior, workers=workers, cache=cache)
    kept = [
        place
        for place, single in enumerate(isolated_atoms(bare))
        if not (single and isinstance(outcomes[place], Failure))
    ]
    found = [bare[place] for place in kept]
    _attach_prior(found, [outcomes[place] for place in kept], prior)
    return found


def _validation(structures: Sequence[Atoms], head: str) -> list[Sample]:
    labels = require_labels(structures, purpose="validation")
    return [
        Sample(atoms, head, label)
        for atoms, label in zip(structures, labels, strict=True)
        if len(atoms) > 1
    ]
