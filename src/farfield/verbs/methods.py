"""From the options of ``refine`` to a refinement."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any

from ase import Atoms

from farfield.errors import ConfigError, did_you_mean
from farfield.priors import LabelCache, Prior
from farfield.refinement import (
    AdaptationSettings,
    Auto,
    Correction,
    CorrectionRule,
    Delta,
    Distillation,
    DistillationSettings,
    OneByOne,
    RadiusRefinement,
    Refinement,
    TestTimeSettings,
    TestTimeTraining,
)
from farfield.shifts import Profile

METHODS = ("radius", "ttt", "correction", "distil", "auto")
REPLAYING = ("ttt", "distil")
EVIDENCE = "correction"  # where a profile keeps the rule that was learned
ADAPTED = frozenset(field.name for field in fields(AdaptationSettings)) - {"seed"}
OBJECTIVES = frozenset({"objectives", "energy_weight", "anchor_weight"})
TAKEN = {
    "radius": frozenset({"profile", "prior", "replay", "mode", "criterion", "per"}),
    "ttt": frozenset({"profile", "prior", "replay", "per"}) | ADAPTED | OBJECTIVES,
    "correction": frozenset({"profile", "prior", "replay", "like_training", "delta", "force"}),
    "distil": frozenset({"profile", "prior", "replay", "like_training", "delta", "on"}) | ADAPTED,
    "auto": frozenset({"profile", "prior", "replay", "like_training", "delta", "plain"}),
}


@dataclass(frozen=True)
class Given:
    """What the user gave for a refinement.

    Attributes
    ----------
    profile, prior, replay, like_training
        Profile of the training set, the prior, labelled training structures, structures from
        the training domain without labels; or None.
    delta
        A Δ-model on top of the prior; or None.
    prior_spec
        How the prior was named; None when it was given as an object.
    seed, workers
        Of everything random; processes for labelling.
    cache
        Folder of the label cache.
    output
        Folder where an interrupted adaptation is kept; or None.
    options
        Further options by name, those that were given alone: ``steps``, ``learning_rate``,
        ``force``, ``on``, ``plain``, ``mode``, ``criterion``, ``per``, and further fields of
        :class:`TestTimeSettings`.
    """

    profile: Profile | None
    prior: Prior | None
    replay: Sequence[Atoms] | None
    like_training: Sequence[Atoms] | None
    delta: Delta | None
    prior_spec: str | None
    seed: int
    workers: int
    cache: Path
    output: Path | None = None
    options: dict[str, Any] = field(default_factory=dict)


def method_of(name: str, given: Given, opened: LabelCache) -> Refinement:
    """Build the refinement ``name``; ``opened`` is the cache in that folder.

    Raises
    ------
    ConfigError
        An unknown method, one that lacks what it needs, or an option that it does not take.
    """
    if name not in METHODS:
        raise ConfigError(f"unknown method {name!r}{did_you_mean(name, METHODS)}")
    inputs = ("profile", "prior", "replay", "like_training", "delta")
    present = {key for key in inputs if getattr(given, key) is not None}
    for option in sorted((present | set(given.options)) - TAKEN[name]):
        takers = ", ".join(method for method in METHODS if option in TAKEN[method])
        if not takers:
            known = frozenset().union(*TAKEN.values())
            raise ConfigError(f"refine has no option {option!r}{did_you_mean(option, known)}")
        raise ConfigError(f"--{option.replace('_', '-')} is for the method {takers}, not {name}")
    if name == "auto":
        return _auto(given, opened)
    lacking = _lacking(name, given)
    if lacking:
        raise ConfigError(f"the method {name} needs {lacking}")
    return _build(name, given, opened)


def _lacking(name: str, given: Given) -> str | None:
    if name == "radius":
        there = given.profile or given.prior
        return None if there else "--profile (make one with  farfield profile)  or --prior"
    if name == "ttt" and "prior" not in _objectives(given):
        return None
    return None if given.prior else "--prior, such as gfn2"


def _build(name: str, given: Given, opened: LabelCache) -> Refinement:
    if name == "radius":
        return RadiusRefinement(
            given.profile,
            prior=given.prior,
            workers=given.workers,
            cache=given.cache,
            spec=given.prior_spec,
            checked_on=given.replay or (),
            **given.options,
        )
    if name == "ttt":
        return _training(given, opened)
    assert given.prior is not None
    correction = Correction(
        given.prior,
        _rule(given.profile),
        like_training=given.like_training or given.replay or (),
        workers=given.workers,
        cache=given.cache,
        spec=given.prior_spec,
        force=given.options.get("force", False),
        checked_on=given.replay or (),
        delta=given.delta,
    )
    if name == "correction":
        return correction
    options = {"structures" if key == "on" else key: v for key, v in given.options.items()}
    settings = DistillationSettings(seed=given.seed, **options)
    return Distillation(
        correction,
        replay=given.replay or (),
        like_training=given.like_training or (),
        settings=settings,
        checkpoint=_checkpoint(name, given),
    )


def _training(given: Given, opened: LabelCache) -> TestTimeTraining | OneByOne:
    """Test-time training on the set, or on each structure by itself."""
    options = {**given.options, "objectives": _objectives(given)}
    per = options.pop("per", "set")
    if per not in ("set", "structure"):
        raise ConfigError(f"adapt per {per!r}? choose --per structure or --per set")
    settings = TestTimeSettings(seed=given.seed, **options)
    if given.prior is not None and "prior" not in settings.objectives:
        raise ConfigError(
            f"--prior has no use for the objectives {', '.join(settings.objectives)}: leave it "
            "out, or add prior to them"
        )
    training = TestTimeTraining(
        given.prior,
        replay=given.replay or (),
        profile=given.profile,
        settings=settings,
        workers=given.workers,
        cache=opened,
        checked_on=given.replay or (),
        checkpoint=_checkpoint("ttt", given),
    )
    return OneByOne(training) if per == "structure" else training


def _objectives(given: Given) -> tuple[str, ...]:
    """The objectives of test-time training, given as names or as one text with commas."""
    named = given.options.get("objectives", TestTimeSettings.objectives)
    words = named.split(",") if isinstance(named, str) else named
    return tuple(word.strip() for word in words)


def _checkpoint(name: str, given: Given) -> Path | None:
    return None if given.output is None else given.output / f"{name}.checkpoint"


def _auto(given: Given, opened: LabelCache) -> Auto:
    """The methods that can be had, in the order of their gain in the study."""
    plain = given.options.get("plain", False)
    order = ("distil", "ttt", "radius") if plain else ("correction", "ttt", "radius")
    bare = replace(given, options={})
    lacking = {name: _lacking(name, bare) for name in order}
    absent = {name: f"it needs {what}" for name, what in lacking.items() if what}
    if plain:
        absent["correction"] = "--plain asks for a model that needs no prior at inference"
    chosen = [_build(name, bare, opened) for name in order if lacking[name] is None]
    return Auto(chosen, absent)


def _rule(profile: Profile | None) -> CorrectionRule | None:
    known = None if profile is None else profile.header.get(EVIDENCE)
    return None if known is None else CorrectionRule.from_plain(known)
