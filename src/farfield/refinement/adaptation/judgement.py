"""How steps are judged without a reference label, and which one is kept."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from typing import Any, final

import torch

from farfield.potentials import TrainablePotential
from farfield.potentials.trainable import State
from farfield.refinement.adaptation.settings import AdaptationSettings

SHARES = (0.2, 0.4, 0.6, 0.8)  # of the way from the start, that are judged too


@dataclass(frozen=True)
class Judgement:
    """The model at one step, judged without a reference label of a test structure.

    Attributes
    ----------
    step
        Number of steps taken.
    held_out
        Force MAE on test structures that are not learned from, eV/Å: of the head that
        learns, against what it learns from.
    anchor
        Force MAE of the main head on the anchor set, eV/Å; None without one.
    agreement
        Cosine of the gradients of what is learned and of replay, on one batch of each; None
        without replay.
    share
        How far the weights lie on the way from the start to those of this step; 1 is there.
    """

    step: int
    held_out: float
    anchor: float | None
    agreement: float | None = None
    share: float = 1.0

    def affordable(self, start: Judgement, forgetting: float, limit: float | None = None) -> bool:
        """Whether what was forgotten since ``start`` is worth what was gained, and allowed."""
        if self.anchor is None or start.anchor is None:
            return True
        forgotten = self.anchor - start.anchor
        if limit is not None and forgotten > limit * start.anchor:
            return False
        return forgotten <= forgetting * (start.held_out - self.held_out)


@dataclass(frozen=True)
class Course:
    """How an adaptation went.

    Attributes
    ----------
    judgements
        All of them, that of step 0 first.
    kept
        That of the weights that were kept.
    """

    judgements: list[Judgement]
    kept: Judgement


@final
class Choice:
    """The judgements so far, and the weights of the best.

    Parameters
    ----------
    start
        Judgement of the model as it came in.
    state
        Its weights.
    settings
        What a gain may cost.
    earlier
        What went before, when this goes on from there; its judgements count too.
    """

    def __init__(
        self,
        start: Judgement,
        state: State,
        settings: AdaptationSettings,
        earlier: Course | None = None,
    ) -> None:
        self.judgements = [start] if earlier is None else list(earlier.judgements)
        self._settings = settings
        self._first = state
        self._origin = start if earlier is None else earlier.kept
        self._best, self._best_state = self._origin, state
        self._lowest = self._origin
        self._lowest_state = state

    def add(self, found: Judgement, potential: TrainablePotential) -> None:
        """Take in a judgement of the weights that ``potential`` has now."""
        self.judgements.append(found)
        if found.held_out < self._lowest.held_out:
            self._lowest, self._lowest_state = found, potential.state()
        self._prefer(found, potential)

    def conclude(
        self, potential: TrainablePotential, judge: Callable[[Judgement], Judgement]
    ) -> Course:
        """Set ``potential`` to the best weights; how it went.

        ``judge`` completes a judgement of the weights that ``potential`` has at that time.
        """
        end, given = self._lowest, self._settings
        if given.interpolate and not given.force and end != self._origin:
            for share in SHARES:
                potential.restore(_between(self._first, self._lowest_state, share))
                self._prefer(judge(replace(end, share=share)), potential)
        potential.restore(self._best_state)
        return Course(self.judgements, self._best)

    def dump(self) -> dict[str, Any]:
        """All that a later choice depends on, beside the start."""
        return {
            "judgements": [asdict(judgement) for judgement in self.judgements],
            "best": asdict(self._best),
            "best_state": self._best_state,
            "lowest": asdict(self._lowest),
            "lowest_state": self._lowest_state,
        }

    def load(self, content: dict[str, Any]) -> None:
        """Go on from what :meth:`dump` gave."""
        self.judgements = [Judgement(**values) for values in content["judgements"]]
        self._best, self._best_state = Judgement(**content["best"]), content["best_state"]
        self._lowest, self._lowest_state = Judgement(**content["lowest"]), content["lowest_state"]

    def _prefer(self, found: Judgement, potential: TrainablePotential) -> None:
        """Make ``found`` the best if it is."""
        given, start = self._settings, self.judgements[0]
        better = found.held_out < self._best.held_out
        paid = found.affordable(start, given.forgetting, given.forgetting_limit)
        if given.force or (better and paid):
            self._best, self._best_state = found, potential.state()


def _between(first: State, last: State, share: float) -> State:
    """Weights at a share of the way from ``first`` to ``last``."""
    return {
        key: torch.lerp(value, last[key], share) if value.is_floating_point() else value
        for key, value in first.items()
    }
