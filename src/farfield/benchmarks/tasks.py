"""A benchmark task is data: which structures are trained on, and which are shifted how."""

from __future__ import annotations

import os
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from ase import Atoms
from pydantic import BaseModel, ConfigDict, Field

from farfield import embedded
from farfield.errors import ConfigError, did_you_mean
from farfield.settings import validated
from farfield.structures import is_reference, read
from farfield.training import TrainingSettings

FOLDER = Path(__file__).parent / "tasks"
DATA_VARIABLE = "FARFIELD_DATA"
EMBEDDED = "embedded:"


class Selection(BaseModel):
    """Structures of one file: a slice of a seeded shuffle, so that slices are disjoint."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    file: str = Field(
        description="embedded:NAME, NAME:SUBSET of a data set, or a path below the data folder"
    )
    first: int = Field(default=0, ge=0, description="where the slice begins")
    count: int | None = Field(default=None, ge=1, description="its length; the rest if absent")


class Task(BaseModel):
    """One test of generalisation, read from a YAML file.

    The shuffle of every file is fixed by its name, so a task names the same structures on
    every machine.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    title: str
    level_of_theory: str
    licence: str
    source: str
    prior: str = Field(description="name of the prior")
    train: tuple[Selection, ...]
    isolated_atoms: str | None = None
    control: tuple[Selection, ...] = Field(description="in distribution, never trained on")
    shifted: dict[str, tuple[Selection, ...]] = Field(description="by name of the shift")
    unseen_molecules: tuple[str, ...] = Field(description="the shifted sets that are such")
    groups: int = Field(ge=2, description="parts to leave out in turn, each of whole formulas")
    left_out_epochs: int = Field(ge=1, description="of two-head trainings without a group")
    training: dict[str, Any] = Field(description="settings of training")
    training_seeds: int = Field(ge=1, description="models of so many seeds are trained")
    models: dict[str, str] = Field(
        default_factory=dict, description="models that are there already, by their recipe's name"
    )

    @cached_property
    def settings(self) -> TrainingSettings:
        """The settings of training with both heads."""
        return validated(TrainingSettings, self.training, f"task {self.name}: training")

    def structures(self, selections: tuple[Selection, ...]) -> list[Atoms]:
        """Read the structures of some selections, with their labels."""
        return [atoms for selection in selections for atoms in _chosen(selection)]

    def training_structures(self) -> list[Atoms]:
        """The structures to train on, the isolated atoms after them."""
        found = self.structures(self.train)
        if self.isolated_atoms is not None:
            found += read(_path(self.isolated_atoms))
        return found


def load_task(spec: str | Path) -> Task:
    """Read a task by its name (see :data:`TASKS`) or from a YAML file."""
    path = TASKS.get(str(spec), Path(spec))
    if not path.is_file():
        raise ConfigError(f"no task is called {str(spec)!r}{did_you_mean(str(spec), TASKS)}")
    content = yaml.safe_load(path.read_text(encoding="utf-8"))
    return validated(Task, content, str(path))


TASKS = {path.stem: path for path in sorted(FOLDER.glob("*.yaml"))}


def _chosen(selection: Selection) -> list[Atoms]:
    structures = read(_path(selection.file))
    seed = sum(selection.file.encode())
    order = np.random.default_rng(seed).permutation(len(structures))
    if selection.count is None and selection.first == 0:
        return structures
    stop = None if selection.count is None else selection.first + selection.count
    if stop is not None and stop > len(structures):
        raise ConfigError(f"{selection.file} holds {len(structures)} structures, not {stop}")
    return [structures[place] for place in order[selection.first : stop]]


def _path(file: str) -> Path:
    if file.startswith(EMBEDDED):
        return embedded.structures_file(file.removeprefix(EMBEDDED))
    if is_reference(file):
        return Path(file)  # a data set, which the reader of structures knows
    folder = os.environ.get(DATA_VARIABLE)
    if folder is None:
        raise ConfigError(
            f"{file} is no part of farfield: let the environment variable {DATA_VARIABLE} name "
            "the folder that holds it"
        )
    return Path(folder) / file
