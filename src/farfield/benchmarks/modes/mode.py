"""Run modes: how much is computed for which tasks, families and contestants. Each is data."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from farfield.benchmarks.bench import Effort
from farfield.benchmarks.contestants.registry import CONTESTANTS
from farfield.benchmarks.families import FamilyChanges
from farfield.benchmarks.tasks.task import Task
from farfield.errors import ConfigError, did_you_mean
from farfield.settings import read_yaml, validated

FOLDER = Path(__file__).parent
CHANGED = ("left_out_epochs", "retrofit_epochs", "training_seeds", "most_train", "most_test")


class Mode(BaseModel):
    """What a run computes; what is not given of a task stays as the task has it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    title: str
    tasks: tuple[str, ...] = Field(min_length=1, description="names, or YAML files")
    families: tuple[str, ...] = Field(min_length=1, description="of models")
    contestants: tuple[str, ...] = Field(min_length=1)
    seeds: tuple[int, ...] = Field(min_length=1, description="of the halves and refinements")
    ready_models: bool = Field(default=False, description="take models that a task has already")
    training: dict[str, Any] = Field(default_factory=dict, description="settings of training")
    left_out_epochs: int | None = Field(default=None, ge=1)
    retrofit_epochs: int | None = Field(default=None, ge=1)
    training_seeds: int | None = Field(default=None, ge=1, description="models of so many seeds")
    most_train: int | None = Field(default=None, ge=10, description="training structures")
    most_test: int | None = Field(default=None, ge=2, description="structures of each test set")
    ttt_steps: int | None = Field(default=None, ge=1)
    distil_steps: int | None = Field(default=None, ge=1)
    fine_tune_steps: int = Field(default=100, ge=1)
    changes: dict[str, FamilyChanges] = Field(
        default_factory=dict, description="of families, or families of your own, by name"
    )

    @property
    def effort(self) -> Effort:
        """Steps of what is done at test time."""
        return Effort(self.ttt_steps, self.distil_steps, self.fine_tune_steps)

    def applied(self, task: Task) -> Task:
        """The task as this mode runs it."""
        update: dict[str, Any] = {
            key: getattr(self, key) for key in CHANGED if getattr(self, key) is not None
        }
        update["training"] = {**task.training, **self.training}
        if not self.ready_models:
            update["models"] = {}
        return task.model_copy(update=update)


def load_mode(
    spec: str | Path,
    *,
    tasks: Sequence[str] = (),
    families: Sequence[str] = (),
    contestants: Sequence[str] = (),
    seeds: Sequence[int] = (),
) -> Mode:
    """Read a mode by its name (see :data:`MODES`) or from a YAML file; what is given wins.

    Raises
    ------
    ConfigError
        There is no such mode or contestant, or its file has a key that is not known.
    """
    path = MODES.get(str(spec), Path(spec))
    if not path.is_file():
        hint = did_you_mean(str(spec), MODES)
        raise ConfigError(f"no mode is called {str(spec)!r}{hint} (your own is a YAML file)")
    given = {"tasks": tasks, "families": families, "contestants": contestants, "seeds": seeds}
    content = read_yaml(path) | {key: tuple(value) for key, value in given.items() if value}
    mode = validated(Mode, content, str(path))
    for name in mode.contestants:
        if name not in CONTESTANTS:
            raise ConfigError(f"no contestant is called {name!r}{did_you_mean(name, CONTESTANTS)}")
    for what in given:
        values = getattr(mode, what)
        if len(set(values)) < len(values):
            raise ConfigError(f"{what}: one stands there twice ({', '.join(map(str, values))})")
    return mode


MODES = {path.stem: path for path in sorted(FOLDER.glob("*.yaml"))}
