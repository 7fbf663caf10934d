"""How well scores told large errors from small ones, judged with labels afterwards."""

from __future__ import annotations

from dataclasses import dataclass, field

from farfield.errors import ConfigError
from farfield.reports.contents.shifts import Interval


@dataclass(frozen=True)
class JudgedScore:
    """One score against the true errors.

    Attributes
    ----------
    title
        Its name for people.
    auroc
        Probability that a structure with an error in the worst tenth scores above another one.
    spearman
        Rank correlation with the error, -1 to 1.
    excess_risk
        Of the risk-coverage curve: 0 is the errors' own order, 1 is chance.
    risk
        Mean error (eV/Å) of the structures kept, at each coverage of the judgement.
    is_baseline
        True for what farfield's scores are compared with.
    """

    title: str
    auroc: Interval
    spearman: Interval
    excess_risk: Interval
    risk: list[float]
    is_baseline: bool = False


@dataclass(frozen=True)
class Judgement:
    """All scores against the true errors of the same structures.

    Attributes
    ----------
    n_structures
        Number of structures with an error and all scores.
    coverage
        Shares of structures kept, ascending to 1: those with the smallest scores.
    best
        Mean error (eV/Å) at each coverage if the errors themselves were the score.
    scores
        One entry per score.
    gaps
        Per set, its mean error less that of the control, eV/Å; empty without a control.
    force_norms
        Per set, the mean norm of the force on an atom, eV/Å: by the model, which is the proxy
        that was scored, and by the labels.
    covered
        Share of structures whose error lies below the 90 % bound of the error estimate, by
        set; empty without an estimate.
    """

    n_structures: int
    coverage: list[float]
    best: list[float]
    scores: list[JudgedScore]
    gaps: dict[str, Interval] = field(default_factory=dict)
    force_norms: dict[str, tuple[float, float]] = field(default_factory=dict)
    covered: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name, risk in (("best", self.best), *((s.title, s.risk) for s in self.scores)):
            if len(risk) != len(self.coverage):
                raise ConfigError(
                    f"{name}: {len(risk)} values of the risk at {len(self.coverage)} coverages"
                )
