"""Settings of distillation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from farfield.errors import ConfigError, did_you_mean
from farfield.refinement.adaptation.settings import AdaptationSettings

Source = Literal["given", "rattled", "md"]


@dataclass(frozen=True)
class DistillationSettings(AdaptationSettings):
    """How a model learns from its teacher.

    Attributes
    ----------
    structures
        What is learned from: the structures as ``"given"``; with them ``"rattled"`` copies,
        whose displacements strain soft modes more than bonds; or with them snapshots of
        molecular dynamics (``"md"``), driven by the teacher, and after the first round by the
        distilled model.
    copies
        Rattled copies, or snapshots, of each structure in each round.
    temperature
        Of the dynamics, K.
    interval
        Steps of 1 fs before each snapshot.
    rounds
        At most so many times structures are made, labelled by the teacher and learned, from
        where the round before ended; a round without a gain on held-out structures is the
        last. With structures as given, a round is a fresh start of the learning rate.
    """

    steps: int = 1200
    learning_rate: float = 0.01
    batch_size: int = 4
    replay_batch_size: int = 8
    replay_weight: float = 8.0
    structures: Source = "rattled"
    copies: int = 6
    temperature: float = 500.0
    interval: int = 20
    rounds: int = 1

    def __post_init__(self) -> None:
        super().__post_init__()
        known = get_args(Source)
        if self.structures not in known:
            raise ConfigError(
                f"structures={self.structures!r}: not a source of structures to distil on"
                f"{did_you_mean(self.structures, known)}"
            )
        for name in ("copies", "temperature", "interval", "rounds"):
            if not getattr(self, name) > 0:
                raise ConfigError(f"{name}={getattr(self, name)}: must be above 0")
