"""Has the model left the prior behind?"""

from __future__ import annotations

from typing import Any, final

import numpy as np

from farfield.priors import Failure, Prior
from farfield.priors.evaluator import Evaluator
from farfield.simulation.checks.contract import Check, Finding, Frame


@final
class PriorDisagreement(Check):
    """Fires when model and prior differ much more than they did in the first window.

    The figure is the root mean square over the force components of model minus prior, and
    its mean over a window of looks. A look at which the prior fails is left out.

    Parameters
    ----------
    prior
        The prior.
    factor
        Largest growth over the first window.
    floor
        The limit is at least this, eV/Å.
    window
        Looks in a window.
    stride
        Steps between looks.
    stops
        Whether it ends the simulation.
    """

    name = "prior_disagreement"

    def __init__(
        self, prior: Prior, *, factor: float, floor: float, window: int, stride: int, stops: bool
    ) -> None:
        self.stride = stride
        self.stops = stops
        self._evaluate = Evaluator(prior)
        self._prior = prior
        self._factor = factor
        self._floor = floor
        self._window = window
        self._recent: list[float] = []
        self._first: float | None = None
        self._failures = 0

    def refined(self, frame: Frame) -> None:
        self._recent, self._first = [], None

    def look(self, frame: Frame) -> Finding | None:
        labels = self._evaluate(frame.atoms)
        if isinstance(labels, Failure):
            self._failures += 1
            return None
        difference = frame.forces - labels.known_forces
        self._recent.append(float(np.sqrt(np.mean(np.square(difference)))))
        if len(self._recent) < self._window:
            return None
        self._recent = self._recent[-self._window :]
        found = float(np.mean(self._recent))
        if self._first is None:
            self._first = found
            return None
        limit = max(self._floor, self._factor * self._first)
        if found <= limit:
            return None
        return Finding(
            f"forces differ from {self._prior.name} by {found:.2f} eV/Å, beyond {limit:.2f} "
            f"({self._first:.2f} at the start)",
            value=found,
            limit=limit,
        )

    def state(self) -> dict[str, Any]:
        return {"recent": self._recent, "first": self._first, "failures": self._failures}

    def restore(self, state: dict[str, Any]) -> None:
        self._recent = list(state["recent"])
        self._first, self._failures = state["first"], state["failures"]

    def figures(self) -> dict[str, float]:
        found = {"prior_failures": float(self._failures)}
        if self._first is not None:
            found["prior_disagreement_first_eV_per_A"] = self._first
            found["prior_disagreement_last_eV_per_A"] = float(np.mean(self._recent))
        return found
