"""What a contestant of a study is: a way to make a prediction for one set, and its needs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ase import Atoms

from farfield.benchmarks.bench import Bench, Contestant
from farfield.benchmarks.zoo import Strategy

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
