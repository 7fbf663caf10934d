"""The models of one task and seed, and what was learned of them without the test sets."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import final

from ase import Atoms

from farfield.benchmarks.zoo import Recipe, Strategy, Zoo
from farfield.potentials import Prediction, TrainablePotential
from farfield.priors import load_prior
from farfield.refinement import CorrectionRule, Evidence, Record, gather_left_out, learn_rule
from farfield.shifts import Profile, observe
from farfield.shifts.profile import fit

EVIDENCE_SEED = 0


Predict = Callable[[Sequence[Atoms]], Sequence[Prediction]]


@dataclass(frozen=True)
class Contestant:
    """A way to predict, made for one set without its labels.

    Attributes
    ----------
    predict
        From structures to predictions.
    record
        Of a refinement; None for a baseline.
    """

    predict: Predict
    record: Record | None = None


@dataclass(frozen=True)
class Effort:
    """Gradient steps of what is done at test time; None takes the method's default."""

    ttt_steps: int | None = None
    distil_steps: int | None = None
    fine_tune_steps: int = 100


@final
class Bench:
    """The models of one task and seed, and what was learned of them without the test sets."""

    def __init__(self, zoo: Zoo, seed: int, cache: Path, effort: Effort | None = None) -> None:
        self.zoo = zoo
        self.seed = seed
        self.cache = cache
        self.effort = effort or Effort()
        self._models: dict[str, TrainablePotential] = {}

    def model(self, strategy: Strategy, prior: str | None = None) -> TrainablePotential:
        """A trained model; the seed is this one, as far as the task has several."""
        recipe = self.recipe(strategy, prior)
        if recipe.name not in self._models:
            self._models[recipe.name] = self.zoo.model(recipe)
        return self._models[recipe.name]

    def recipe(self, strategy: Strategy, prior: str | None = None) -> Recipe:
        """Which model that is."""
        return Recipe(strategy, self.seed % self.zoo.task.training_seeds, prior=prior)

    @cached_property
    def profile(self) -> Profile:
        """Of the training set, with the supervised model."""
        model = self.model("supervised")
        structures = [atoms for atoms in self.zoo.training if len(atoms) > 1]
        observations = observe(structures, potential=model)
        return fit(observations, seed=self.seed, header={"cutoff": model.cutoff})

    def rule(self, strategy: Strategy, prior: str | None = None) -> CorrectionRule:
        """β for models of this strategy, learned by leaving groups out of training.

        The models that were left groups out of have one seed, and serve all.
        """
        chosen = self.zoo.prior if prior is None else load_prior(prior)
        evidence = gather_evidence(self.zoo, strategy, prior)
        return learn_rule(evidence, prior=chosen.name, head=chosen.name)


def gather_evidence(zoo: Zoo, strategy: Strategy, prior: str | None = None) -> Evidence:
    """Both heads' errors on structures, and on compositions, left out of training."""
    chosen = zoo.prior if prior is None else load_prior(prior)
    structures = zoo.training if prior is None else zoo.with_prior_labels(zoo.training, chosen)
    return Evidence.joined(
        [
            gather_left_out(zoo.model(recipe), structures, left, chosen)
            for recipe, left in zip(
                evidence_recipes(zoo, strategy, prior), zoo.left_out, strict=True
            )
        ]
    )


def evidence_recipes(zoo: Zoo, strategy: Strategy, prior: str | None = None) -> list[Recipe]:
    """The models that each lack one group of the training set."""
    return [Recipe(strategy, EVIDENCE_SEED, group, prior) for group in range(len(zoo.left_out))]
