"""Settings of an adaptation: what moves, by how much, and what a gain may cost."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, get_args

from farfield.errors import ConfigError, did_you_mean

Parameters = Literal["all", "early", "lora"]
OBJECTIVES = ("prior", "difference", "denoise", "consistency", "anchor")


@dataclass(frozen=True)
class AdaptationSettings:
    """How the representation is moved.

    Attributes
    ----------
    steps
        Gradient steps (Adam).
    learning_rate
        Of Adam at the start; it falls to zero as a cosine.
    ema_decay
        Decay of the averaged weights, by which steps are judged and which are kept.
    batch_size
        Structures per step and objective.
    replay_batch_size
        Replayed structures per step.
    replay_weight
        Weight of the main head's loss on training structures, times the loss of what is to be
        learned at the start over the mean square of the replayed forces: the more there is to
        learn, the harder the model is held to what it knows.
    held_out
        Share of the test structures by whose error (of the prior head against the prior, or
        of the main head against its teacher) the best step is chosen.
    forgetting
        The price of a gain: a step is not chosen if the force MAE on the anchor set has risen
        by more than this share of what the error on the held-out structures has fallen by.
        The anchor set are structures of the training domain that are not replayed.
    forgetting_limit
        A step is not chosen either if the force MAE on the anchor set has risen by more than
        this share of itself; None sets no such limit.
    copies
        Rattled copies that are made of each structure to learn from.
    displacement
        Of these: root mean square over the atoms, Å.
    judge_every
        Steps between judgements.
    seed
        Of the splits and batches.
    force
        Act without a reason, and keep the last step whatever the judgement says.
    parameters
        What moves of the representation: ``"all"``; the ``"early"`` part that the model
        declares; or ``"lora"``, all matrices by an update of low rank.
    rank
        Of that update.
    project
        Where the gradient of what is learned points against that of replay, take off that part.
    interpolate
        Also judge weights between those at the start and those of the lowest error held out,
        and keep the best by the same rules.
    """

    steps: int = 300
    learning_rate: float = 5e-3
    ema_decay: float = 0.9
    batch_size: int = 2
    replay_batch_size: int = 6
    replay_weight: float = 20.0
    held_out: float = 0.25
    forgetting: float = 0.25
    forgetting_limit: float | None = None
    copies: int = 0
    displacement: float = 0.14
    judge_every: int = 50
    seed: int = 0
    force: bool = False
    parameters: Parameters = "all"
    rank: int = 4
    project: bool = False
    interpolate: bool = False

    def __post_init__(self) -> None:
        require_known("parameters", [self.parameters], get_args(Parameters))
        for name in ("steps", "judge_every", "batch_size", "replay_batch_size", "rank"):
            if not getattr(self, name) > 0:
                raise ConfigError(f"{name}={getattr(self, name)}: must be above 0")
        if self.copies < 0:
            raise ConfigError(f"copies={self.copies}: must not be below 0")
        if not self.displacement > 0.0:
            raise ConfigError(f"displacement={self.displacement}: must be above 0 Å")
        if self.forgetting_limit is not None and not self.forgetting_limit >= 0.0:
            raise ConfigError(f"forgetting_limit={self.forgetting_limit}: must not be below 0")


@dataclass(frozen=True)
class TestTimeSettings(AdaptationSettings):
    """Settings of test-time training.

    Attributes
    ----------
    objectives
        What is minimised on the test structures: ``"prior"``, with ``"difference"`` or without;
        ``"denoise"``; ``"consistency"``; and beside one of these ``"anchor"``. Replay joins them
        whenever training structures are given.
    prior_weight, difference_weight, denoise_weight, consistency_weight
        Weights of these force errors, (eV/Å)².
    anchor_weight
        Weight of half the squared distance to the weights at the start, (eV/Å)².
    energy_weight
        Of ``prior``: weight of the energy error per atom, up to a constant per composition,
        against the force error, Å⁻².
    noise
        Of ``denoise``: displacement of each coordinate, standard deviation, Å.
    """

    __test__ = False  # not a test class

    objectives: tuple[str, ...] = ("prior", "difference")
    prior_weight: float = 1.0
    difference_weight: float = 1.0
    denoise_weight: float = 1.0
    consistency_weight: float = 1.0
    anchor_weight: float = 0.01
    energy_weight: float = 0.0
    noise: float = 0.05

    def __post_init__(self) -> None:
        super().__post_init__()
        if "replay" in self.objectives:
            raise ConfigError(
                "replay is no objective to name: it is on whenever training structures to "
                "replay are given"
            )
        require_known("objectives", self.objectives, OBJECTIVES)
        if len(set(self.objectives)) != len(self.objectives):
            raise ConfigError(f"objectives={','.join(self.objectives)}: one is named twice")
        if not set(self.objectives) - {"anchor"}:
            raise ConfigError(
                "objectives: nothing to learn from: name prior, denoise or consistency "
                "(anchor only holds the weights)"
            )
        if "difference" in self.objectives and "prior" not in self.objectives:
            raise ConfigError(
                "objectives: difference lets the main head follow the prior head: name prior too"
            )
        if not self.noise > 0.0:
            raise ConfigError(f"noise={self.noise}: must be above 0 Å")


def require_known(setting: str, given: Iterable[str], known: Iterable[str]) -> None:
    """Raise :class:`ConfigError` for the first value of a setting that is not known."""
    for value in given:
        if value not in known:
            raise ConfigError(f"{setting}={value!r}: not known{did_you_mean(value, known)}")
