"""Contestants that are refined at test time, each as ``farfield refine`` would do it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, TypeVar

from ase import Atoms

from farfield.benchmarks.bench import Bench, Contestant
from farfield.benchmarks.zoo import Strategy
from farfield.potentials import TrainablePotential
from farfield.refinement import (
    Auto,
    Correction,
    CorrectionRule,
    Delta,
    Distillation,
    DistillationSettings,
    RadiusRefinement,
    Refinement,
    TestTimeSettings,
    TestTimeTraining,
)

Settings = TypeVar("Settings", TestTimeSettings, DistillationSettings)


def freeze_ttt(strategy: Strategy, bench: Bench, structures: Sequence[Atoms]) -> Contestant:
    """Test-time training of that model on the prior, with replay."""
    return _refined(_test_time_training(bench), bench.model(strategy), structures)


def ttt(bench: Bench, structures: Sequence[Atoms]) -> Contestant:
    """Test-time training of the joint model on the prior, with replay."""
    return _refined(_test_time_training(bench), bench.model("joint"), structures)


def ttt_prior(bench: Bench, structures: Sequence[Atoms]) -> Contestant:
    """The same on the prior head's error alone, as published, and with replay."""
    method = _test_time_training(bench, objectives=("prior",))
    return _refined(method, bench.model("joint"), structures)


def head_difference(bench: Bench, structures: Sequence[Atoms]) -> Contestant:
    """The joint model corrected with β = 1."""
    rule = CorrectionRule(bench.zoo.prior.name, bench.zoo.prior.name, 1.0, 1.0, 1.0, "given")
    method = _correction(bench, rule)
    return _refined(method, bench.model("joint"), structures)


def correction(bench: Bench, structures: Sequence[Atoms]) -> Contestant:
    """The joint model corrected, β learned on groups left out of training."""
    method = _correction(bench, bench.rule("joint"))
    return _refined(method, bench.model("joint"), structures)


def difference_correction(bench: Bench, structures: Sequence[Atoms]) -> Contestant:
    """The same with a model that learned the difference of its heads too."""
    method = _correction(bench, bench.rule("joint-difference"))
    return _refined(method, bench.model("joint-difference"), structures)


def delta_correction(bench: Bench, structures: Sequence[Atoms]) -> Contestant:
    """The joint model corrected, β learned, with the Δ-model as a second opinion."""
    second = Delta(bench.model("delta"), bench.zoo.prior, bench.cache)
    method = _correction(bench, bench.rule("joint"), delta=second)
    return _refined(method, bench.model("joint"), structures)


def cautious_correction(bench: Bench, structures: Sequence[Atoms]) -> Contestant:
    """The joint model corrected without evidence: the rule of James and Stein."""
    method = _correction(bench, like_training=bench.zoo.training)
    return _refined(method, bench.model("joint"), structures)


def retrofit(bench: Bench, structures: Sequence[Atoms]) -> Contestant:
    """The supervised model, a prior head added without a reference label; corrected cautiously."""
    return _refined(_without_labels(bench), bench.model("retrofit"), structures)


def retrofit_head(bench: Bench, structures: Sequence[Atoms]) -> Contestant:
    """The same with the representation, and so the main head's predictions, as they were."""
    return _refined(_without_labels(bench), bench.model("retrofit-head"), structures)


def retrofit_ttt(bench: Bench, structures: Sequence[Atoms]) -> Contestant:
    """Test-time training of the supervised model with a prior head added, with replay."""
    return _refined(_test_time_training(bench), bench.model("retrofit"), structures)


def distil(bench: Bench, structures: Sequence[Atoms]) -> Contestant:
    """The corrected joint model distilled into a plain one, training labels replayed."""
    teacher = _correction(bench, bench.rule("joint"))
    method = Distillation(teacher, replay=bench.zoo.training, settings=_distillation(bench))
    return _refined(method, bench.model("joint"), structures)


def retrofit_distil(bench: Bench, structures: Sequence[Atoms]) -> Contestant:
    """The corrected retrofitted model distilled into a plain one, without a reference label."""
    method = Distillation(
        _without_labels(bench),
        like_training=bench.zoo.training,
        settings=_distillation(bench),
    )
    return _refined(method, bench.model("retrofit"), structures)


def cautious_distil(bench: Bench, structures: Sequence[Atoms]) -> Contestant:
    """The joint model, corrected without evidence, distilled into a plain one."""
    teacher = _correction(bench, like_training=bench.zoo.training)
    method = Distillation(teacher, replay=bench.zoo.training, settings=_distillation(bench))
    return _refined(method, bench.model("joint"), structures)


def radius(bench: Bench, structures: Sequence[Atoms]) -> Contestant:
    """The joint model with the radius at which its prior head is nearest to the prior."""
    return _refined(_radius(bench), bench.model("joint"), structures)


def auto(bench: Bench, structures: Sequence[Atoms]) -> Contestant:
    """The joint model by ``--method auto`` with a prior and the training set, without evidence."""
    candidates = (
        _correction(bench, like_training=bench.zoo.training),
        _test_time_training(bench),
        _radius(bench),
    )
    return _refined(Auto(candidates), bench.model("joint"), structures)


def paper_radius(bench: Bench, structures: Sequence[Atoms]) -> Contestant:
    """The supervised model, its graph truncated by the paper's distance of spectra."""
    method = RadiusRefinement(bench.profile, mode="truncate", criterion="paper")
    return _refined(method, bench.model("supervised"), structures)


def _radius(bench: Bench) -> RadiusRefinement:
    """By the prior, checked on the training set."""
    return RadiusRefinement(prior=bench.zoo.prior, cache=bench.cache, checked_on=bench.zoo.training)


def _correction(
    bench: Bench,
    rule: CorrectionRule | None = None,
    like_training: Sequence[Atoms] = (),
    delta: Delta | None = None,
) -> Correction:
    """A correction by a rule, or else by one that is found without evidence."""
    return Correction(
        bench.zoo.prior,
        rule,
        like_training,
        cache=bench.cache,
        checked_on=bench.zoo.training,
        delta=delta,
    )


def _without_labels(bench: Bench) -> Correction:
    """A correction whose scale is what retrofit left in the model's metadata."""
    return Correction(bench.zoo.prior, cache=bench.cache)


def _refined(
    method: Refinement, model: TrainablePotential, structures: Sequence[Atoms]
) -> Contestant:
    refined = method.refine(model, structures)
    return Contestant(refined.potential.predict, refined.record)


def _test_time_training(bench: Bench, **changes: Any) -> TestTimeTraining:
    settings = TestTimeSettings(seed=bench.seed, **changes)
    return TestTimeTraining(
        bench.zoo.prior,
        replay=bench.zoo.training,
        settings=_with_steps(settings, bench.effort.ttt_steps),
        checked_on=bench.zoo.training,
    )


def _distillation(bench: Bench) -> DistillationSettings:
    return _with_steps(DistillationSettings(seed=bench.seed), bench.effort.distil_steps)


def _with_steps(settings: Settings, steps: int | None) -> Settings:
    return settings if steps is None else replace(settings, steps=steps)
