"""What is compared on a task: baselines and refinements, each a way to predict."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from types import MappingProxyType
from typing import Any, TypeVar

from ase import Atoms

from farfield.benchmarks.bench import Bench, Contestant
from farfield.benchmarks.fine_tuning import fine_tune
from farfield.benchmarks.mace_multihead import mace_multihead
from farfield.benchmarks.zoo import Strategy
from farfield.potentials import Prediction, TrainablePotential
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
Make = Callable[[Bench, Sequence[Atoms]], Contestant]


@dataclass(frozen=True)
class Method:
    """What a contestant is, and what it needs.

    Attributes
    ----------
    make
        Makes it for one set: from the bench and the structures that it may adapt to, which
        carry no labels unless ``sees_labels``.
    title
        For people.
    models
        Strategies by which its models are trained.
    left_out
        Strategy of the models without a group of compositions that it learns from.
    prior_at_inference
        Whether the prior is computed at every prediction.
    sees_labels
        Whether it gets reference labels of what it adapts to, and says so in its title.
    """

    make: Make
    title: str
    models: tuple[Strategy, ...] = ()
    left_out: Strategy | None = None
    prior_at_inference: bool = False
    sees_labels: bool = False


def supervised(bench: Bench, structures: Sequence[Atoms]) -> Contestant:
    """A model trained on the reference alone."""
    return Contestant(bench.model("supervised").predict)


def joint(bench: Bench, structures: Sequence[Atoms]) -> Contestant:
    """Main head and prior head trained together, nothing done at test time."""
    return Contestant(bench.model("joint").predict)


def joint_difference(bench: Bench, structures: Sequence[Atoms]) -> Contestant:
    """The same, trained on the difference of the two heads too."""
    return Contestant(bench.model("joint-difference").predict)


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


def freeze(strategy: Strategy, bench: Bench, structures: Sequence[Atoms]) -> Contestant:
    """Pre-trained on the prior, then fitted to the reference; nothing done at test time."""
    return Contestant(bench.model(strategy).predict)


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
    method = RadiusRefinement(prior=bench.zoo.prior, cache=bench.cache)
    return _refined(method, bench.model("joint"), structures)


def auto(bench: Bench, structures: Sequence[Atoms]) -> Contestant:
    """The joint model by ``--method auto`` with a prior and the training set, without evidence."""
    candidates = (
        _correction(bench, like_training=bench.zoo.training),
        _test_time_training(bench),
        RadiusRefinement(prior=bench.zoo.prior, cache=bench.cache),
    )
    return _refined(Auto(candidates), bench.model("joint"), structures)


def paper_radius(bench: Bench, structures: Sequence[Atoms]) -> Contestant:
    """The supervised model, its graph truncated by the paper's distance of spectra."""
    method = RadiusRefinement(bench.profile, mode="truncate", criterion="paper")
    return _refined(method, bench.model("supervised"), structures)


FROZEN: Mapping[Strategy, str] = MappingProxyType(
    {
        "freeze": "early part frozen",
        "freeze-head": "representation frozen",
        "freeze-all": "nothing frozen",
    }
)

CONTESTANTS: Mapping[str, Method] = MappingProxyType(
    {
        "supervised": Method(supervised, "supervised", ("supervised",)),
        "prior_alone": Method(prior_alone, "prior alone", prior_at_inference=True),
        "delta": Method(delta, "Δ-model", ("delta",), prior_at_inference=True),
        "joint": Method(joint, "joint, untouched", ("joint",)),
        "joint_difference": Method(
            joint_difference, "joint with the heads' difference, untouched", ("joint-difference",)
        ),
        "radius": Method(radius, "joint, radius by the prior", ("joint",), prior_at_inference=True),
        "auto": Method(auto, "joint, auto", ("joint",), prior_at_inference=True),
        "paper_radius": Method(paper_radius, "supervised, radius as in the paper", ("supervised",)),
        "ttt": Method(ttt, "joint, test-time training", ("joint",)),
        "ttt_prior": Method(ttt_prior, "joint, test-time training on the prior alone", ("joint",)),
        **{
            name.replace("-", "_") + ending: Method(
                partial(make, name), f"pre-trained on the prior, {words}, {done}", (name,)
            )
            for name, words in FROZEN.items()
            for ending, make, done in (
                ("", freeze, "untouched"),
                ("_ttt", freeze_ttt, "test-time training"),
            )
        },
        "head_difference": Method(
            head_difference, "joint, corrected with β = 1", ("joint",), prior_at_inference=True
        ),
        "cautious_correction": Method(
            cautious_correction, "joint, corrected, cautious β", ("joint",), prior_at_inference=True
        ),
        "correction": Method(
            correction, "joint, corrected, learned β", ("joint",), "joint", prior_at_inference=True
        ),
        "difference_correction": Method(
            difference_correction,
            "joint with the heads' difference, corrected, learned β",
            ("joint-difference",),
            "joint-difference",
            prior_at_inference=True,
        ),
        "delta_correction": Method(
            delta_correction,
            "joint, corrected with the Δ-model too, learned β",
            ("joint", "delta"),
            "joint",
            prior_at_inference=True,
        ),
        "cautious_distil": Method(
            cautious_distil, "joint, corrected (cautious β) and distilled", ("joint",)
        ),
        "distil": Method(distil, "joint, corrected and distilled", ("joint",), "joint"),
        "retrofit": Method(
            retrofit,
            "supervised, retrofitted and corrected",
            ("supervised", "retrofit"),
            prior_at_inference=True,
        ),
        "retrofit_head": Method(
            retrofit_head,
            "supervised, retrofitted (head alone), corrected",
            ("supervised", "retrofit-head"),
            prior_at_inference=True,
        ),
        "retrofit_ttt": Method(
            retrofit_ttt,
            "supervised, retrofitted, test-time training",
            ("supervised", "retrofit"),
        ),
        "retrofit_distil": Method(
            retrofit_distil,
            "supervised, retrofitted, corrected and distilled",
            ("supervised", "retrofit"),
        ),
        **{
            f"fine_tune_{count}": Method(
                partial(fine_tune, count),
                f"supervised, fine-tuned on {count} LABELLED",
                ("supervised",),
                sees_labels=True,
            )
            for count in (1, 10, 100)
        },
        "mace_multihead_10": Method(
            partial(mace_multihead, 10),
            "supervised MACE, mace-torch's multihead fine-tuning on 10 LABELLED",
            ("supervised",),
            sees_labels=True,
        ),
    }
)


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


def _by_prior(bench: Bench, structures: Sequence[Atoms]) -> list[Prediction]:
    found = []
    for labels in bench.zoo.prior_labels(structures):
        assert labels.energy is not None  # a prior gives it
        found.append(Prediction(labels.energy, labels.known_forces))
    return found


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
