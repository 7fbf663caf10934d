"""The models of a study: each is trained once, kept in a file, and found again."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal, final

from ase import Atoms

from farfield.benchmarks.families import Family, load_family
from farfield.benchmarks.tasks.task import Task
from farfield.files import write_json
from farfield.potentials import TrainablePotential
from farfield.potentials.create import create
from farfield.priors import LabelCache, Prior, label, load_prior, require
from farfield.refinement import load_model
from farfield.settings import validated
from farfield.structures import Labels, LeftOut, attach, leave_groups_out
from farfield.training import TrainingSettings, checkpoint
from farfield.training.at_once import at_once
from farfield.training.delta import delta
from farfield.training.freeze import freeze, two_phases
from farfield.training.joint import joint
from farfield.training.retrofit import retrofit
from farfield.training.supervised import supervised
from farfield.training.training_set import TrainingSet

Say = Callable[[str], None]
Strategy = Literal[
    "supervised",
    "joint",
    "joint-difference",
    "delta",
    "retrofit",
    "retrofit-head",
    "freeze",
    "freeze-head",
    "freeze-all",
]
TRAINABLE: Mapping[Strategy, Literal["head", "late", "all"]] = MappingProxyType(
    {"freeze": "late", "freeze-head": "head", "freeze-all": "all"}
)


@dataclass(frozen=True)
class Recipe:
    """Which model of a task.

    Attributes
    ----------
    strategy
        ``"supervised"``; ``"joint"``; ``"joint-difference"``, the same that learns the
        difference of the heads too; ``"delta"``, one head that learns the reference minus the
        prior; ``"retrofit"``, the supervised model with a prior head added, all weights moving;
        ``"retrofit-head"``, the same with the head alone; ``"freeze"``, pre-trained on the
        prior, then all but the early part fitted; ``"freeze-head"`` and ``"freeze-all"``, the
        same with the heads alone, or all weights.
    seed
        Of the weights and the order of the samples.
    without
        Number of the group of compositions that is left out of training; None leaves none out.
    prior
        Of a retrofit: another prior than the task's.
    """

    strategy: Strategy
    seed: int
    without: int | None = None
    prior: str | None = None

    @property
    def name(self) -> str:
        """A name for its file."""
        left_out = "" if self.without is None else f"-without{self.without}"
        prior = "" if self.prior is None else f"-{self.prior.replace(':', '_')}"
        return f"{self.strategy}{prior}{left_out}-seed{self.seed}"


@final
class Zoo:
    """Trains one family's models of one task on demand; what lies in the folder is not again.

    Parameters
    ----------
    task
        The task.
    folder
        Where models are kept: ``folder/TASK/RECIPE.pt``, a checkpoint beside one in training.
    cache
        Of prior labels.
    family
        Which models; None takes MACE as the task has it.
    """

    def __init__(
        self, task: Task, folder: Path, cache: LabelCache, family: Family | None = None
    ) -> None:
        self.task = task
        self.family = family or load_family("mace", task.families)
        self.prior: Prior = load_prior(task.prior)
        self._folder = folder / task.name
        self._cache = cache

    @cached_property
    def training(self) -> list[Atoms]:
        """Training structures with reference and prior labels, isolated atoms at the end."""
        return self.with_prior_labels(self.task.training_structures(), self.prior)

    @cached_property
    def left_out(self) -> list[LeftOut]:
        """What is trained on and judged by when each group is left out."""
        return leave_groups_out(self.training, self.task.groups)

    def with_prior_labels(self, structures: Sequence[Atoms], prior: Prior) -> list[Atoms]:
        """Copies that carry the labels of a prior."""
        copies = [atoms.copy() for atoms in structures]
        for atoms, labels in zip(copies, self.prior_labels(copies, prior), strict=True):
            attach(atoms, labels, prior.label_name)
        return copies

    def prior_labels(self, structures: Sequence[Atoms], prior: Prior | None = None) -> list[Labels]:
        """Labels by a prior (the task's unless given), every one of which must succeed."""
        chosen = prior or self.prior
        outcomes = label(structures, chosen, cache=self._cache, progress=False)
        return [
            require(outcome, atoms, chosen)
            for atoms, outcome in zip(structures, outcomes, strict=True)
        ]

    def model(self, recipe: Recipe, say: Say = print) -> TrainablePotential:
        """The trained model of a recipe."""
        path = self._folder / f"{recipe.name}.pt"
        ready = self.task.models.get(self.family.name, {}).get(recipe.name)
        if ready is None and not path.exists():
            self._train(recipe, path, say)
        found = load_model(ready or str(path))
        assert isinstance(found, TrainablePotential)
        return found

    def ready(self, recipe: Recipe) -> bool:
        """Whether a model is there already."""
        known = self.task.models.get(self.family.name, {})
        return recipe.name in known or (self._folder / f"{recipe.name}.pt").exists()

    def trained(self) -> dict[str, float]:
        """Wall time in seconds of every training that was done here, by the recipe's name."""
        return {
            path.stem: float(json.loads(path.read_text(encoding="utf-8"))["seconds"])
            for path in sorted(self._folder.glob("*.json"))
        }

    def _train(self, recipe: Recipe, path: Path, say: Say) -> None:
        settings = self._settings(recipe)
        kept = path.with_suffix(".checkpoint")
        start = time.monotonic()
        where = f"{self.task.name} {self.family.name} {recipe.name}"

        def report(record: dict[str, float]) -> None:
            if record["epoch"] % 20 == 0:
                rmse = record["force_rmse"]
                say(f"{where}: epoch {record['epoch']:g}, {rmse:.3f} eV/Å")

        if recipe.strategy.startswith("retrofit"):
            base = self.model(replace(recipe, strategy="supervised", prior=None), say)
            prior = self.prior if recipe.prior is None else load_prior(recipe.prior)
            structures = self.with_prior_labels(self._structures(recipe), prior)
            model = retrofit(base, structures, prior, settings, checkpoint=kept, report=report)
        else:
            data = self._data(recipe)
            model = create(
                self.family.architecture,
                settings.architecture,
                structures=data.structures,
                heads=data.energies,
                scales=data.scales,
                seed=recipe.seed,
            )
            learn = freeze if recipe.strategy in TRAINABLE else at_once
            learn(model, data, settings, checkpoint=kept, report=report)
            strategy = recipe.strategy.partition("-")[0]
            model.metadata.update(strategy=strategy, settings=settings.model_dump())
        model.save(path)
        seconds = time.monotonic() - start
        write_json(path.with_suffix(".json"), {"seconds": seconds, **settings.model_dump()})
        checkpoint.remove(kept)

    @cached_property
    def _given(self) -> TrainingSettings:
        """The task's settings of training, with what the family changes and its size."""
        given = {**self.task.training, **self.family.training}
        where = f"task {self.task.name}, family {self.family.name}: training"
        settings = validated(TrainingSettings, given, where)
        return settings.model_copy(update={"architecture": dict(self.family.settings)})

    def _settings(self, recipe: Recipe) -> TrainingSettings:
        """One head gets twice the epochs of two, hence as many steps.

        So does the second phase of freeze; its first, of the prior head, has half as many.
        """
        settings = self._given.model_copy(update={"seed": recipe.seed})
        if recipe.strategy.startswith("retrofit"):
            update = "head" if recipe.strategy == "retrofit-head" else "all"
            epochs = self.task.retrofit_epochs
            given = {**self.family.training, "epochs": epochs, "update": update}
            return TrainingSettings(**{**given, "seed": recipe.seed}).for_strategy("retrofit")
        epochs = settings.epochs if recipe.without is None else self.task.left_out_epochs
        changes: dict[str, Any] = {"epochs": epochs}
        if trainable := TRAINABLE.get(recipe.strategy):
            changes |= {"trainable": trainable, "pretrain_epochs": epochs}
        if recipe.strategy == "joint-difference":
            changes["difference_weight"] = 1.0
        elif recipe.strategy not in ("joint", "freeze", "freeze-all"):
            changes["epochs"] = 2 * epochs
        return settings.model_copy(update=changes)

    def _structures(self, recipe: Recipe) -> list[Atoms]:
        if recipe.without is None:
            return self.training
        return [self.training[place] for place in self.left_out[recipe.without].train]

    def _data(self, recipe: Recipe) -> TrainingSet:
        structures = self._structures(recipe)
        if recipe.strategy == "supervised":
            return supervised(structures)
        if recipe.strategy in ("joint", "joint-difference"):
            return joint(structures, self.prior)
        if recipe.strategy in TRAINABLE:
            return two_phases(structures, structures, self.prior)
        return delta(structures, self.prior)
