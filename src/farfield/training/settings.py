"""Settings of a training run: one declaration gives default, type, check and help."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from farfield.errors import ConfigError
from farfield.settings import read_yaml, validated

# A model that is trained already needs fewer steps than a new one.
STRATEGY_DEFAULTS: Mapping[str, dict[str, Any]] = MappingProxyType({"retrofit": {"epochs": 40}})

OWN_SETTINGS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "retrofit": ("update", "held_out"),
        "freeze": ("trainable", "keep_prior", "pretrain_epochs"),
    }
)


class TrainingSettings(BaseModel):
    """How a model is trained; every field can stand in the YAML file of ``--config``.

    The defaults are those of a new model; :meth:`for_strategy` knows the others.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    epochs: int = Field(default=200, ge=1, description="passes over the training set")
    batch_size: int = Field(default=16, ge=1, description="samples per step")
    learning_rate: float = Field(default=0.01, gt=0, description="largest learning rate (Adam)")
    warm_up: float = Field(default=0.05, gt=0, lt=1, description="share of steps in which it rises")
    energy_weight: float = Field(default=1.0, ge=0, description="weight of the energy loss, 1/eV²")
    forces_weight: float = Field(default=10.0, ge=0, description="weight of the force loss, Å²/eV²")
    difference_weight: float = Field(
        default=0.0,
        ge=0,
        description="weight of the difference of two heads' errors on one structure, times the two "
        "weights above; above 0 the two samples share a batch",
    )
    clip_norm: float = Field(default=10.0, gt=0, description="largest norm of the gradient")
    ema_decay: float = Field(default=0.995, ge=0, lt=1, description="decay of the averaged weights")
    patience: int | None = Field(
        default=None,
        ge=1,
        description="end after so many epochs without a better validation error, with the weights "
        "of the best one; None trains all epochs",
    )
    seed: int = Field(default=0, ge=0, description="of the weights and the order of the samples")
    architecture: dict[str, Any] = Field(
        default_factory=dict, description="settings of the architecture, such as channels"
    )
    update: Literal["all", "head"] = Field(
        default="all", description="retrofit: all weights move, or those of the heads alone"
    )
    held_out: float = Field(
        default=0.1, gt=0, lt=1, description="retrofit: share of structures to judge by"
    )
    trainable: Literal["head", "late", "all"] = Field(
        default="late",
        description="freeze: what moves in the second phase: the heads alone; these and the "
        "representation after its first layer; or all weights",
    )
    keep_prior: bool = Field(
        default=True,
        description="freeze: the prior head learns on in the second phase, unless only the heads "
        "move",
    )
    pretrain_epochs: int | None = Field(
        default=None, ge=1, description="freeze: epochs of the first phase; None takes epochs"
    )

    def for_strategy(self, strategy: str) -> TrainingSettings:
        """Return these settings, with the strategy's own defaults for what was not given.

        Raises
        ------
        ConfigError
            A setting was given that this strategy does not have.
        """
        for owner, keys in OWN_SETTINGS.items():
            for key in keys if strategy != owner else ():
                if getattr(self, key) != type(self).model_fields[key].default:
                    raise ConfigError(
                        f"{key} is a setting of the strategy {owner}, not of {strategy}"
                    )
        given = self.model_dump(exclude_unset=True)
        return TrainingSettings(**{**STRATEGY_DEFAULTS.get(strategy, {}), **given})

    def all_epochs(self, strategy: str) -> int:
        """Epochs of all phases of a strategy."""
        first = (self.pretrain_epochs or self.epochs) if strategy == "freeze" else 0
        return first + self.epochs


def load_settings(path: Path | None, **overrides: Any) -> TrainingSettings:
    """Read settings from a YAML file; ``overrides`` that are not None win.

    Raises
    ------
    ConfigError
        The file is missing or not YAML, or a key is unknown or has an impossible value.
    """
    content = read_yaml(path)
    content |= {key: value for key, value in overrides.items() if value is not None}
    return validated(TrainingSettings, content, str(path or "training settings"))
