"""Train a model, with or without a prior head: the verb ``train``."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

from farfield.errors import ConfigError, did_you_mean
from farfield.potentials import Potential, TrainablePotential, require_trainable
from farfield.priors import Prior, load_prior
from farfield.refinement import load_model
from farfield.structures import without_labels
from farfield.training import TrainingSettings, checkpoint
from farfield.training.at_once import at_once
from farfield.training.freeze import freeze, two_phases
from farfield.training.joint import joint
from farfield.training.retrofit import refuse_second_head, retrofit
from farfield.training.strategies import STRATEGIES
from farfield.training.supervised import supervised
from farfield.training.training_set import MAIN_HEAD
from farfield.verbs import training_data
from farfield.verbs.inputs import Structures, structures_of

Report = Callable[[dict[str, float]], None]


def train(
    structures: Structures,
    *,
    strategy: str,
    architecture: str = "mace",
    model: Potential | str | None = None,
    prior: Prior | str | None = None,
    pretrain: Structures | None = None,
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
        ``"supervised"``; ``"joint"`` (needs ``prior``); ``"freeze"`` (needs ``prior``; see
        :func:`farfield.training.freeze.freeze`); or ``"retrofit"`` (needs ``prior`` and
        ``model``; see :func:`farfield.training.retrofit.retrofit`).
    architecture
        Of a new model: ``"mace"``, or another of
        :func:`farfield.potentials.adapters.architectures`.
    model
        A model to start from; None builds a new one.
    prior
        Whose labels the second head learns; they are computed here.
    pretrain
        Of ``"freeze"``: structures of the first phase, which need no labels, and whose
        reference labels are not read; None takes ``structures``.
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
        The model cannot be trained, has a head for the prior to retrofit already, or does not
        declare the part that is to be frozen.
    LabelError
        Missing or mixed labels.
    """
    if strategy not in STRATEGIES:
        raise ConfigError(f"unknown strategy {strategy!r}{did_you_mean(strategy, STRATEGIES)}")
    if pretrain is not None and strategy != "freeze":
        raise ConfigError(f"--pretrain belongs to the strategy freeze, not to {strategy}")
    settings = (settings or TrainingSettings()).for_strategy(strategy)
    given = structures_of(structures)
    start = None
    if model is not None:
        start = require_trainable(load_model(model), "training").clone()
    target = None if output is None else Path(output)
    kept = None if target is None else target.with_name(target.name + ".checkpoint")
    if strategy == "retrofit":
        if start is None or prior is None:
            raise ConfigError("retrofit needs --model, a trained one, and --prior, such as gfn2")
        if valid is not None:
            raise ConfigError("retrofit judges by a share of its structures: leave --valid away")
        chosen = load_prior(prior)
        refuse_second_head(start, chosen)
        labelled = training_data.for_retrofit(given, start, chosen, workers, cache)
        potential = retrofit(start, labelled, chosen, settings, checkpoint=kept, report=report)
    else:
        main = MAIN_HEAD if start is None else start.heads[0]
        judged = [] if valid is None else structures_of(valid)
        validation = training_data.validation(judged, main)
        if strategy == "supervised":
            training_set = supervised(given, main)
        else:
            if prior is None:
                raise ConfigError(f"{strategy} training needs --prior, such as gfn2")
            chosen = load_prior(prior)
            label = partial(
                training_data.with_prior_labels, prior=chosen, workers=workers, cache=cache
            )
            if strategy == "joint":
                training_set = joint(label(given), chosen, main)
            else:
                cheap = given
                if pretrain is not None:
                    cheap = training_data.for_pretraining(structures_of(pretrain), given)
                training_set = two_phases(given, label(cheap), chosen, main)
                bare = label(without_labels(judged))
                validation += training_data.validation(bare, chosen.name, chosen.label_name)
        potential = training_data.started(start, training_set, architecture, settings)
        learn = freeze if strategy == "freeze" else at_once
        told = learn(
            potential,
            training_set,
            settings,
            validation=validation,
            checkpoint=kept,
            report=report,
        )
        potential.metadata.update(
            strategy=strategy,
            levels_of_theory=training_set.levels,
            settings=settings.model_dump(),
            n_structures=len(training_set.of(main)),
            **told,
        )
    if target is not None and kept is not None:
        potential.save(target)
        checkpoint.remove(kept)
    return potential
