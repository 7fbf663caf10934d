"""Train a model, with or without a prior head: the verb ``train``."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ase import Atoms

from farfield.errors import ConfigError, did_you_mean
from farfield.potentials import Potential, TrainablePotential
from farfield.priors import Prior, load_prior
from farfield.refinement.correction.delta import delta_rule
from farfield.structures import without_labels
from farfield.training import TrainingSettings, checkpoint
from farfield.training.at_once import at_once
from farfield.training.delta import delta
from farfield.training.distributed import Processes, joined
from farfield.training.freeze import freeze, two_phases
from farfield.training.joint import joint
from farfield.training.retrofit import refuse_second_head, retrofit
from farfield.training.strategies import STRATEGIES
from farfield.training.supervised import supervised
from farfield.training.training_set import MAIN_HEAD
from farfield.verbs import training_data
from farfield.verbs.inputs import Structures, structures_of
from farfield.verbs.placing import DTYPES, require_place
from farfield.verbs.training_report import write_training

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
    device: str = "cpu",
    dtype: str | None = None,
    workers: int = 1,
    cache: Path | str | None = None,
    output: Path | str | None = None,
    page: Path | str | None = None,
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
        :func:`farfield.training.freeze.freeze`); ``"delta"`` (needs ``prior``): a new model of
        the reference minus the prior, to which loading its file adds the prior; or
        ``"retrofit"`` (needs ``prior`` and ``model``; see
        :func:`farfield.training.retrofit.retrofit`).
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
    device
        ``"cpu"`` or ``"cuda"``; the model that is returned is there. A process that torchrun
        started takes the GPU of its own number, and its share of each batch.
    dtype
        ``"float32"`` or ``"float64"``; None takes what the architecture's settings say, or
        ``model`` has.
    workers, cache
        For labelling with the prior.
    output
        The model file to write; a ``.checkpoint`` file beside it lets a killed run go on.
    page
        Folder for ``report.html``, the curves of the run, and ``training.json``; None writes
        neither.
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
    require_place(device, dtype)
    if pretrain is not None and strategy != "freeze":
        raise ConfigError(f"--pretrain belongs to the strategy freeze, not to {strategy}")
    settings = (settings or TrainingSettings()).for_strategy(strategy)
    if dtype is not None and model is None:
        size = {**settings.architecture, "dtype": dtype}
        settings = settings.model_copy(update={"architecture": size})
    target = None if output is None else Path(output)
    kept = None if target is None else target.with_name(target.name + ".checkpoint")
    chosen = None if prior is None else load_prior(prior)
    rule = None
    if strategy == "delta" and chosen is not None:
        rule = delta_rule(prior if isinstance(prior, str) else chosen.name)
    with joined(device) as place:
        start = None
        if model is not None:
            wanted = None if dtype is None else DTYPES[dtype]
            start = training_data.starting(model, wanted, place)
        told = {"checkpoint": kept, "report": report}
        run = _Run(strategy, settings, chosen, workers, cache, told)
        given = structures_of(structures)
        if strategy == "retrofit":
            potential = _retrofitted(run, given, start, valid)
        else:
            potential = _trained(run, given, start, architecture, place, pretrain, valid)
        if Processes().first and target is not None and kept is not None:
            potential.save(target, rule=rule)
            checkpoint.remove(kept)
        if Processes().first and page is not None:
            write_training(potential, Path(page))
    return potential


@dataclass(frozen=True)
class _Run:
    """What all strategies take."""

    strategy: str
    settings: TrainingSettings
    prior: Prior | None
    workers: int
    cache: Path | str | None
    told: dict[str, Any]  # checkpoint and report, as :func:`farfield.training.fit` takes them

    def labelled(self, structures: Sequence[Atoms]) -> Sequence[Atoms]:
        """The structures, the prior's labels attached."""
        return training_data.with_prior_labels(
            structures, self.needed_prior, self.workers, self.cache
        )

    @property
    def needed_prior(self) -> Prior:
        """The prior, which must be there."""
        if self.prior is None:
            raise ConfigError(f"{self.strategy} training needs --prior, such as gfn2")
        return self.prior


def _retrofitted(
    run: _Run,
    given: Sequence[Atoms],
    start: TrainablePotential | None,
    valid: Structures | None,
) -> TrainablePotential:
    if start is None or run.prior is None:
        raise ConfigError("retrofit needs --model, a trained one, and --prior, such as gfn2")
    if valid is not None:
        raise ConfigError("retrofit judges by a share of its structures: leave --valid away")
    refuse_second_head(start, run.prior)
    labelled = training_data.for_retrofit(given, start, run.prior, run.workers, run.cache)
    return retrofit(start, labelled, run.prior, run.settings, **run.told)


def _trained(
    run: _Run,
    given: Sequence[Atoms],
    start: TrainablePotential | None,
    architecture: str,
    place: str,
    pretrain: Structures | None,
    valid: Structures | None,
) -> TrainablePotential:
    if run.strategy == "delta" and start is not None:
        raise ConfigError("delta trains a new model, of the difference alone: leave --model away")
    main = MAIN_HEAD if start is None else start.heads[0]
    judged = [] if valid is None else structures_of(valid)
    validation = [] if run.strategy == "delta" else training_data.validation(judged, main)
    if run.strategy == "supervised":
        training_set = supervised(given, main)
    elif run.strategy == "joint":
        training_set = joint(run.labelled(given), run.needed_prior, main)
    elif run.strategy == "delta":
        training_set = delta(run.labelled(given), run.needed_prior)
        validation = training_data.of_differences(run.labelled(judged), run.needed_prior)
    else:
        prior, first = run.needed_prior, given
        if pretrain is not None:
            first = training_data.for_pretraining(structures_of(pretrain), given)
        training_set = two_phases(given, run.labelled(first), prior, main)
        bare = run.labelled(without_labels(judged))
        validation += training_data.validation(bare, prior.name, prior.label_name)
    potential = training_data.started(start, training_set, architecture, run.settings, place)
    learn = freeze if run.strategy == "freeze" else at_once
    found = learn(potential, training_set, run.settings, validation=validation, **run.told)
    potential.metadata.update(
        strategy=run.strategy,
        levels_of_theory=training_set.levels,
        settings=run.settings.model_dump(),
        n_structures=len(training_set.of(potential.heads[0])),
        **found,
    )
    return potential
