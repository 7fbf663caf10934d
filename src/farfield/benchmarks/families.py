"""Families of models: an architecture with the settings that it takes part with."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ConfigDict, Field

from farfield.errors import ConfigError, did_you_mean
from farfield.settings import validated

FILE = Path(__file__).parent / "families.yaml"


class FamilyChanges(BaseModel):
    """What a task or a run changes of a family; settings are merged, key by key."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    architecture: str | None = Field(default=None, description="of `farfield list`")
    settings: dict[str, Any] = Field(default_factory=dict, description="of the architecture")
    training: dict[str, Any] = Field(
        default_factory=dict, description="settings of training, such as learning_rate"
    )


class Family(BaseModel):
    """An architecture, its size and how it is trained."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    architecture: str
    settings: dict[str, Any] = Field(default_factory=dict)
    training: dict[str, Any] = Field(default_factory=dict)


def load_family(name: str, *changes: Mapping[str, FamilyChanges]) -> Family:
    """A family by its name, with the changes of a task and of a run, the last of which win.

    A name that farfield does not know must be defined, with its architecture, by one of them.
    """
    given = [{name: FAMILIES[name]}] if name in FAMILIES else []
    layers = [layer[name] for layer in (*given, *changes) if name in layer]
    architecture = next((c.architecture for c in reversed(layers) if c.architecture), None)
    if architecture is None:
        known = {*FAMILIES, *(key for layer in changes for key in layer)}
        raise ConfigError(f"no family of models is called {name!r}{did_you_mean(name, known)}")
    settings: dict[str, Any] = {}
    training: dict[str, Any] = {}
    for layer in layers:
        if layer.architecture not in (None, architecture):
            continue  # settings of another architecture
        settings |= layer.settings
        training |= layer.training
    return Family(name=name, architecture=architecture, settings=settings, training=training)


def _read() -> dict[str, FamilyChanges]:
    content = yaml.safe_load(FILE.read_text(encoding="utf-8"))
    return {
        name: validated(FamilyChanges, given, f"{FILE.name}: {name}")
        for name, given in content.items()
    }


FAMILIES: Mapping[str, FamilyChanges] = _read()
