"""The whole report."""

from __future__ import annotations

from dataclasses import dataclass, field

from farfield.reports.contents.judgement import Judgement
from farfield.reports.contents.outcomes import Action, ErrorRow
from farfield.reports.contents.shifts import AxisShift, DrawnStructure, SetSummary
from farfield.reports.contents.simulations import (
    Causes,
    DistanceCurves,
    EnergySurface,
    Lifetimes,
)


@dataclass(frozen=True)
class Report:
    """Everything in one report; only the title is needed.

    Attributes
    ----------
    title, subtitle
        What was studied.
    headline
        Two to four sentences: the findings, the most important first.
    facts
        Model, prior, profile, cutoff, level of theory, versions, seed: label to value with
        its unit.
    sets, axes
        How far, along which axis.
    structures
        The strangest structures.
    judgement
        How well the scores told large errors, where labels were given to judge them.
    errors, error_notes
        Errors against labels, and how they were computed (such as how energies were aligned).
    actions
        What was done, and why; abstentions too.
    lifetimes, causes
        How long simulations lived, and what stopped them.
    distances, surfaces
        Distributions of interatomic distances; energy surfaces, at most two.
    commands
        The shell commands that reproduce the report, in order.
    warnings
        What a reader must know before believing the numbers.
    """

    title: str
    subtitle: str = ""
    headline: list[str] = field(default_factory=list)
    facts: dict[str, str] = field(default_factory=dict)
    sets: list[SetSummary] = field(default_factory=list)
    axes: list[AxisShift] = field(default_factory=list)
    structures: list[DrawnStructure] = field(default_factory=list)
    judgement: Judgement | None = None
    errors: list[ErrorRow] = field(default_factory=list)
    error_notes: list[str] = field(default_factory=list)
    actions: list[Action] = field(default_factory=list)
    lifetimes: list[Lifetimes] = field(default_factory=list)
    causes: list[Causes] = field(default_factory=list)
    distances: DistanceCurves | None = None
    surfaces: list[EnergySurface] = field(default_factory=list)
    commands: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    @property
    def simulated(self) -> bool:
        """Whether there is anything of simulations."""
        return bool(self.lifetimes or self.causes or self.distances or self.surfaces)
