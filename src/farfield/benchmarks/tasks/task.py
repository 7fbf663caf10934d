"""A benchmark task is data: which structures are trained on, and which are shifted how."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal

from ase import Atoms
from pydantic import BaseModel, ConfigDict, Field, model_validator

from farfield import embedded
from farfield.benchmarks.families import FamilyChanges
from farfield.benchmarks.tasks.files import read_file
from farfield.benchmarks.tasks.selection import Selection, evenly
from farfield.errors import ConfigError, did_you_mean
from farfield.settings import read_yaml, validated
from farfield.structures import is_reference
from farfield.training import TrainingSettings

FOLDER = Path(__file__).parent
DATA_VARIABLE = "FARFIELD_DATA"
EMBEDDED = "embedded:"
CONTROL = "control"

Axis = Literal[
    "molecules",
    "elements",
    "connectivity",
    "size",
    "force_norm",
    "temperature",
    "reaction_path",
    "dihedral",
]
Metric = Literal["force_mae", "energy_mae"]
UNITS: Mapping[Metric, str] = MappingProxyType({"force_mae": "eV/Å", "energy_mae": "eV/atom"})


class Task(BaseModel):
    """One test of generalisation, read from a YAML file; the key of each field is its name."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(pattern=r"^[\w-]+$")
    title: str
    level_of_theory: str
    licence: str
    source: str
    prior: str = Field(description="name of the prior")
    metric: Metric = Field(
        default="force_mae",
        description="per structure: mean absolute error of the force components, eV/Å, or "
        "absolute error of the energy per atom, eV, up to one constant per composition and set",
    )
    train: tuple[Selection, ...] = Field(min_length=1)
    isolated_atoms: str | None = Field(default=None, description="file of single atoms")
    control: tuple[Selection, ...] = Field(
        min_length=1, description="in distribution, never trained on"
    )
    shifted: dict[str, tuple[Selection, ...]] = Field(
        min_length=1, description="by name of the shifted set"
    )
    axes: dict[str, Axis] = Field(description="along what each shifted set is shifted")
    unseen_molecules: tuple[str, ...] = Field(
        default=(), description="the shifted sets of compositions that training lacks"
    )
    groups: int = Field(
        default=4, ge=2, description="parts to leave out in turn, each of whole compositions"
    )
    left_out_epochs: int = Field(
        default=40, ge=1, description="of two-head trainings without a group"
    )
    retrofit_epochs: int = Field(default=40, ge=1, description="of the prior head's fit")
    training: dict[str, Any] = Field(default_factory=dict, description="settings of training")
    training_seeds: int = Field(default=1, ge=1, description="models of so many seeds are trained")
    families: dict[str, FamilyChanges] = Field(
        default_factory=dict, description="what this task changes of families of models"
    )
    models: dict[str, dict[str, str]] = Field(
        default_factory=dict,
        description="models that are there already: by family and name of the recipe",
    )
    most_train: int | None = Field(default=None, ge=1, description="train on at most so many")
    most_test: int | None = Field(default=None, ge=2, description="at most so many of each set")
    folder: Path | None = Field(
        default=None, exclude=True, description="where the task's file is; set when it is read"
    )

    @model_validator(mode="after")
    def _names_agree(self) -> Task:
        if CONTROL in self.shifted:
            raise ValueError(f"no shifted set can be called {CONTROL!r}")
        for field, names in {"axes": set(self.axes), "shifted": set(self.shifted)}.items():
            others = set(self.shifted) if field == "axes" else set(self.axes)
            if odd := sorted(names - others):
                lacking = "shifted" if field == "axes" else "axes"
                raise ValueError(f"{odd[0]!r} stands under {field} and not under {lacking}")
        if odd := sorted(set(self.unseen_molecules) - set(self.shifted)):
            raise ValueError(f"{odd[0]!r} stands under unseen_molecules and not under shifted")
        return self

    @property
    def settings(self) -> TrainingSettings:
        """The settings of training with both heads."""
        return validated(TrainingSettings, self.training, f"task {self.name}: training")

    @property
    def sets(self) -> dict[str, tuple[Selection, ...]]:
        """All test sets by name, the control first."""
        return {CONTROL: self.control, **self.shifted}

    def structures(self, selections: tuple[Selection, ...]) -> list[Atoms]:
        """Read the test structures of some selections, with their labels."""
        return evenly(self._chosen(selections), self.most_test)

    def training_structures(self) -> list[Atoms]:
        """The structures to train on, the isolated atoms after them."""
        found = evenly(self._chosen(self.train), self.most_train)
        if self.isolated_atoms is not None:
            found += read_file(self.path(self.isolated_atoms))
        return found

    def _chosen(self, selections: tuple[Selection, ...]) -> list[Atoms]:
        return [a for one in selections for a in one.choose(read_file(self.path(one.file)))]

    def path(self, file: str) -> Path:
        """Where a file lies that the task names."""
        if file.startswith(EMBEDDED):
            return embedded.structures_file(file.removeprefix(EMBEDDED))
        if is_reference(file):
            return Path(file)  # a data set, which the reader of structures knows
        beside = (self.folder or Path()) / file
        if Path(file).is_absolute() or (self.folder is not None and beside.exists()):
            return beside
        folder = os.environ.get(DATA_VARIABLE)
        if folder is None:
            raise ConfigError(
                f"task {self.name}: {file} is no part of farfield: let the environment variable "
                f"{DATA_VARIABLE} name the folder that holds it, or put it beside the task's file"
            )
        return Path(folder) / file


def load_task(spec: str | Path) -> Task:
    """Read a task by its name (see :data:`TASKS`) or from a YAML file.

    Raises
    ------
    ConfigError
        There is no such task, or its file is not YAML, lacks a key, has one that is not known,
        or a value that is impossible.
    """
    path = TASKS.get(str(spec), Path(spec))
    if not path.is_file():
        hint = did_you_mean(str(spec), TASKS)
        raise ConfigError(f"no task is called {str(spec)!r}{hint} (your own is a YAML file)")
    task = validated(Task, {**read_yaml(path), "folder": path.parent.resolve()}, str(path))
    if task.settings.architecture:
        raise ConfigError(f"{path}: training.architecture: it belongs under families, by name")
    return task


TASKS = {path.stem: path for path in sorted(FOLDER.glob("*.yaml"))}
