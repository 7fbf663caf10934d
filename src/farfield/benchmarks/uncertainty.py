"""How well label-free scores tell large errors from small ones: a table of several scores."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from farfield.benchmarks.results.metrics import (
    Estimate,
    Floats,
    auroc,
    bootstrap,
    excess_risk,
    spearman,
    worst,
)
from farfield.errors import ConfigError

Statistic = Callable[[Floats, Floats], np.floating]


@dataclass(frozen=True)
class ScoreQuality:
    """How well one score ranks the errors of n structures.

    Attributes
    ----------
    score
        Its name.
    auroc
        Probability that a structure with an error in the worst tenth scores above another
        one, with a 95 % bootstrap interval.
    spearman
        Rank correlation of score and error, with a 95 % bootstrap interval.
    excess_risk
        How far the area under the risk-coverage curve is from that of the errors' own order: 0
        is that order, 1 is chance; with a 95 % bootstrap interval.
    n_structures
        Number of structures that have this score.
    """

    score: str
    auroc: Estimate
    spearman: Estimate
    excess_risk: Estimate
    n_structures: int


def compare_scores(
    errors: Floats, scores: Mapping[str, Floats], *, share: float = 0.1, seed: int = 0
) -> list[ScoreQuality]:
    """Judge several scores against the true errors of the same structures.

    All scores are judged on the structures on which every one of them is known, so that the
    rows can be compared.

    Parameters
    ----------
    errors
        True force errors, shape (n,), eV/Å.
    scores
        By name, shape (n,): larger should mean a larger error; NaN where there is none.
    share
        Which share of the errors counts as large.
    seed
        Of the bootstrap.

    Raises
    ------
    ConfigError
        Fewer than two structures with all scores, errors that are all alike, or a score of
        another length.
    """
    for name, values in scores.items():
        if len(values) != len(errors):
            raise ConfigError(f"{name} has {len(values)} scores for {len(errors)} errors")
    known = np.isfinite(np.stack([errors, *scores.values()])).all(axis=0)
    true = errors[known]
    if len(true) < 2 or np.ptp(true) == 0.0:
        raise ConfigError(
            f"{len(true)} structures have an error and all scores: at least two with different "
            "errors are needed to compare the scores"
        )
    large = worst(true, share)
    table = []
    for name, values in scores.items():
        score = values[known]

        def paired(statistic: Statistic, score: Floats = score) -> Estimate:
            def of(places: Floats) -> np.floating:
                chosen = places.astype(int)
                return statistic(score[chosen], true[chosen])

            return bootstrap(of, np.arange(float(len(true))), seed=seed)

        table.append(
            ScoreQuality(
                score=name,
                auroc=bootstrap(auroc, score[~large], score[large], seed=seed),
                spearman=paired(spearman),
                excess_risk=paired(excess_risk),
                n_structures=len(true),
            )
        )
    return table
