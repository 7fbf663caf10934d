"""The share of replicas alive against time, with its interval."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.stats import beta

from farfield.reports.contents.simulations import Lifetimes

Floats = npt.NDArray[np.float64]

CONFIDENCE = 0.95


@dataclass(frozen=True)
class Survival:
    """A staircase: each value holds from its time up to the next.

    Attributes
    ----------
    times
        From 0 to the last lifetime, shape (T,), ps.
    share
        Kaplan and Meier's estimate of the share alive, shape (T,), 0..1.
    low, high
        Its 95 % interval at each time, shape (T,).
    median
        When the share falls to one half, ps; None if it does not.
    """

    times: Floats
    share: Floats
    low: Floats
    high: Floats
    median: float | None


def survival(replicas: Lifetimes) -> Survival:
    """Return the staircase of one model.

    The interval is Clopper and Pearson's: exact for replicas that all ran to the same end, and
    holds at each time, not for all at once. Replicas that ended alive earlier count as the
    number that has Greenwood's variance.
    """
    lifetimes = np.asarray(replicas.lifetimes, dtype=float)
    died = ~np.asarray(replicas.censored, dtype=bool)
    times = np.unique(np.concatenate([[0.0], lifetimes]))  # (T,)
    share, greenwood, effective = 1.0, 0.0, float(len(lifetimes))
    shares, sizes = [], []
    for time in times:
        at_risk = int((lifetimes >= time).sum())
        deaths = int((died & (lifetimes == time)).sum())
        if deaths:
            share *= 1.0 - deaths / at_risk
            greenwood += deaths / (at_risk * (at_risk - deaths)) if deaths < at_risk else 0.0
        if share == 1.0:
            effective = float(at_risk)
        elif deaths and share > 0.0:
            effective = (1.0 - share) / (share * greenwood)
        shares.append(share)
        sizes.append(effective)
    found, counted = np.array(shares), np.array(sizes)
    low, high = _clopper_pearson(found * counted, counted)
    fallen = np.flatnonzero(found <= 0.5 + 1e-12)
    return Survival(times, found, low, high, float(times[fallen[0]]) if len(fallen) else None)


def _clopper_pearson(alive: Floats, total: Floats) -> tuple[Floats, Floats]:
    tail = (1.0 - CONFIDENCE) / 2
    none, every = alive < 1e-9, alive > total - 1e-9
    low = beta.ppf(tail, np.maximum(alive, 1e-9), total - alive + 1.0)
    high = beta.ppf(1.0 - tail, alive + 1.0, np.maximum(total - alive, 1e-9))
    return np.where(none, 0.0, low), np.where(every, 1.0, high)
