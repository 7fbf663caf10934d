"""What is compared on a task: baselines and refinements, each a way to predict forces."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import final

from ase import Atoms

from farfield.benchmarks.zoo import Recipe, Strategy, Zoo
from farfield.potentials import Prediction, TrainablePotential
from farfield.priors import load_prior
from farfield.refinement import (
    Correction,
    CorrectionRule,
    Distillation,
    Evidence,
    Record,
    Refinement,
    TestTimeSettings,
    TestTimeTraining,
    gather_left_out,
    learn_rule,
)
from farfield.refinement.distillation import DistillationSettings

Predict = Callable[[Sequence[Atoms]], Sequence[Prediction]]
EVIDENCE_SEED = 0


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


@final
class Bench:
    """The models of one task and seed, and what was learned of them without the test sets."""

    def __init__(self, zoo: Zoo, seed: int, cache: Path) -> None:
        self.zoo = zoo
        self.seed = seed
        self.cache = cache

    def model(self, strategy: Strategy, prior: str | None = None) -> TrainablePotential:
        """A trained model; the seed is this one, as far as the task has several."""
        seed = self.seed % self.zoo.task.training_seeds
        return self.zoo.model(Recipe(strategy, seed, prior=prior))

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
            gather_left_out(
                zoo.model(Recipe(strategy, EVIDENCE_SEED, group, prior)), structures, left, chosen
            )
            for group, left in enumerate(zoo.left_out)
        ]
    )


def supervised(bench: Bench, structures: Sequence[Atoms]) -> Contestant:
    """A model trained on the reference alone."""
    return Contestant(bench.model("supervised").predict)


def joint(bench: Bench, structures: Sequence[Atoms]) -> Contestant:
    """Main head and prior head trained together, nothing done at test time."""
    return Contestant(bench.model("joint").predict)


def prior_alone(bench: Bench, structures: Sequence[Atoms]) -> Contestant:
    """The prior itself."""
    return Contestant(lambda given: _by_prior(bench, given))


def delta(bench: Bench, structures: Sequence[Atoms]) -> Contestant:
    """A separate model of reference minus prior, the prior added at inference."""
    model = bench.model("delta")

    def predict(given: Sequence[Atoms]) -> list[Prediction]:
        return [
            Prediction(first.energy + second.energy, first.forces + second.forces)
            for first, second in zip(model.predict(given), _by_prior(bench, given), strict=True)
        ]

    return Contestant(predict)


def ttt(bench: Bench, structures: Sequence[Atoms]) -> Contestant:
    """Test-time training of the joint model on the prior, with replay."""
    training = TestTimeTraining(
        bench.zoo.prior,
        replay=bench.zoo.training,
        settings=TestTimeSettings(seed=bench.seed),
    )
    return _refined(training, bench.model("joint"), structures)


def head_difference(bench: Bench, structures: Sequence[Atoms]) -> Contestant:
    """The joint model corrected with β = 1."""
    rule = CorrectionRule(bench.zoo.prior.name, bench.zoo.prior.name, 1.0, 1.0, 1.0, "given")
    method = Correction(bench.zoo.prior, rule, cache=bench.cache)
    return _refined(method, bench.model("joint"), structures)


def correction(bench: Bench, structures: Sequence[Atoms]) -> Contestant:
    """The joint model corrected, β learned on groups left out of training."""
    method = Correction(bench.zoo.prior, bench.rule("joint"), cache=bench.cache)
    return _refined(method, bench.model("joint"), structures)


def cautious_correction(bench: Bench, structures: Sequence[Atoms]) -> Contestant:
    """The joint model corrected without evidence: the rule of James and Stein."""
    method = Correction(bench.zoo.prior, like_training=bench.zoo.training, cache=bench.cache)
    return _refined(method, bench.model("joint"), structures)


def retrofit(bench: Bench, structures: Sequence[Atoms]) -> Contestant:
    """The supervised model, a prior head added without a reference label; corrected cautiously."""
    return _refined(_without_labels(bench), bench.model("retrofit"), structures)


def retrofit_head(bench: Bench, structures: Sequence[Atoms]) -> Contestant:
    """The same with the representation, and so the main head's predictions, as they were."""
    return _refined(_without_labels(bench), bench.model("retrofit-head"), structures)


def distil(bench: Bench, structures: Sequence[Atoms]) -> Contestant:
    """The corrected joint model distilled into a plain one, training labels replayed."""
    teacher = Correction(bench.zoo.prior, bench.rule("joint"), cache=bench.cache)
    settings = DistillationSettings(seed=bench.seed)
    method = Distillation(teacher, replay=bench.zoo.training, settings=settings)
    return _refined(method, bench.model("joint"), structures)


def retrofit_distil(bench: Bench, structures: Sequence[Atoms]) -> Contestant:
    """The corrected retrofitted model distilled into a plain one, without a reference label."""
    method = Distillation(
        _without_labels(bench),
        like_training=bench.zoo.training,
        settings=DistillationSettings(seed=bench.seed),
    )
    return _refined(method, bench.model("retrofit"), structures)


CONTESTANTS = MappingProxyType(
    {
        function.__name__: function
        for function in (
            supervised,
            joint,
            prior_alone,
            delta,
            ttt,
            head_difference,
            correction,
            cautious_correction,
            retrofit,
            retrofit_head,
            distil,
            retrofit_distil,
        )
    }
)


def _without_labels(bench: Bench) -> Correction:
    """A correction whose scale is what retrofit left in the model's metadata."""
    return Correction(bench.zoo.prior, cache=bench.cache)


def _refined(
    method: Refinement, model: TrainablePotential, structures: Sequence[Atoms]
) -> Contestant:
    refined = method.refine(model, structures)
    return Contestant(refined.potential.predict, refined.record)


def _by_prior(bench: Bench, structures: Sequence[Atoms]) -> list[Prediction]:
    found = []
    for labels in bench.zoo.prior_labels(structures):
        assert labels.energy is not None  # a prior gives it
        found.append(Prediction(labels.energy, labels.known_forces))
    return found
