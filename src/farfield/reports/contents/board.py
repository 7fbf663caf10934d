"""What a leaderboard can hold: errors of models and methods on tasks, as plain values."""

from __future__ import annotations

from dataclasses import dataclass, field

from farfield.reports.contents.shifts import Interval


@dataclass(frozen=True)
class Standing:
    """One method on one family of models, over the sets of one task.

    Attributes
    ----------
    family, method
        Which; the family is empty for what needs no model.
    kind
        ``"supervised"``, the baseline; ``"plain"``; ``"prior"``, one that computes the prior at
        every prediction; or ``"labels"``, one that sees labels of the shifted sets.
    control, shifted
        Error in distribution, and the mean over the shifted sets, in the task's unit.
    median
        As ``shifted``, with medians over structures and seeds in place of means.
    sets
        Error on each shifted set.
    change
        Of ``shifted`` against the supervised model of the same family; −0.5 is half the error.
    after
        Error on the control after the method was made for a shifted set, mean over the sets.
    spread
        Least and largest ``shifted`` over the seeds; None with one seed.
    seeds
        Their number.
    acted
        On how many of the shifted sets and seeds the method acted, such as ``"11 of 12"``;
        empty for a baseline.
    seconds
        Wall time to make it for one set, models trained before.
    direct
        Whether the model predicts forces directly, not as the gradient of its energy.
    reasons
        Why it is not available: on which sets, and what was said.
    """

    family: str
    method: str
    kind: str
    control: Interval | None = None
    shifted: Interval | None = None
    median: float | None = None
    sets: dict[str, Interval] = field(default_factory=dict)
    change: Interval | None = None
    after: Interval | None = None
    spread: tuple[float, float] | None = None
    seeds: int = 0
    acted: str = ""
    seconds: float | None = None
    direct: bool = False
    reasons: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class DistanceCurve:
    """Error against distance from training, in bins of nearly equal number.

    Attributes
    ----------
    family, method
        Which.
    refined
        Whether it is what a refinement made of the model.
    distances
        Mean distance in each bin, in multiples of the 95 % line of held-out training structures.
    errors
        Mean error in each bin, with its interval, in the task's unit.
    """

    family: str
    method: str
    refined: bool
    distances: list[float]
    errors: list[Interval]


@dataclass(frozen=True)
class ModelFacts:
    """What the models of a family are."""

    family: str
    architecture: str
    parameters: int | None
    conservative: bool | None
    training_seconds: float | None


@dataclass(frozen=True)
class TaskBoard:
    """One task.

    Attributes
    ----------
    name, title
        Of the task.
    unit
        Of all errors, such as ``"meV/Å"``.
    metric
        What the error is, in words.
    facts
        Level of theory, licence, source, prior: label to value.
    axes
        Along what each shifted set is shifted.
    standings, curves, models
        The results.
    """

    name: str
    title: str
    unit: str
    metric: str
    facts: dict[str, str]
    axes: dict[str, str]
    standings: list[Standing]
    curves: list[DistanceCurve]
    models: list[ModelFacts]


@dataclass(frozen=True)
class Leaderboard:
    """A page of results; see :class:`farfield.reports.Report` for the fields that both have."""

    title: str
    subtitle: str = ""
    headline: list[str] = field(default_factory=list)
    facts: dict[str, str] = field(default_factory=dict)
    tasks: list[TaskBoard] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    commands: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
