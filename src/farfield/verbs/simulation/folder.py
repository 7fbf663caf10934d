"""A folder that ``simulate`` wrote, read again."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, final

from ase import Atoms

from farfield.errors import ConfigError
from farfield.reports import Causes, Lifetimes
from farfield.simulation.observables import Distribution, interatomic_distances
from farfield.structures import read

EQUILIBRATED = 0.2  # share of each trajectory that is left out of h(r)


@final
@dataclass(frozen=True)
class SimulationFolder:
    """What a folder of ``simulate`` holds.

    Attributes
    ----------
    folder, record
        Where, and the content of ``record.json``.
    """

    folder: Path
    record: dict[str, Any]

    @property
    def refined(self) -> bool:
        """Whether its model was refined."""
        refinement = self.record["refinement"]
        return refinement is not None and bool(refinement["acted"])

    def lifetimes(self, name: str) -> Lifetimes:
        """For the report."""
        each = self.record["simulations"]
        times = [
            one["time_ps"] if one["failure"] is None else 1e-3 * one["failure"]["time_fs"]
            for one in each
        ]
        return Lifetimes(name, times, [one["failure"] is None for one in each], not self.refined)

    def causes(self, name: str) -> Causes:
        """For the report."""
        counts = {check.replace("_", " "): n for check, n in self.record["failures"].items()}
        return Causes(name, self.record["n_simulations"], counts, not self.refined)

    def distances(self, formula: str) -> Distribution | None:
        """h(r) of one formula over all its simulations, 1/Å; None where all ended too early."""
        frames: list[Atoms] = []
        for one in self.record["simulations"]:
            if one["formula"] == formula:
                lived = read(next((self.folder / one["folder"]).glob("trajectory.*")))
                frames += lived[max(1, int(EQUILIBRATED * len(lived))) :]
        return interatomic_distances(frames) if frames else None

    def start(self, formula: str) -> Atoms:
        """The first frame of that formula."""
        one = next(one for one in self.record["simulations"] if one["formula"] == formula)
        return read(next((self.folder / one["folder"]).glob("trajectory.*")))[0]


def opened(folder: Path) -> SimulationFolder:
    """Read the record of a finished run.

    Raises
    ------
    ConfigError
        There is none.
    """
    path = folder / "record.json"
    if not path.exists():
        raise ConfigError(f"{folder}: no record.json of a finished run of  farfield simulate")
    record = json.loads(path.read_text(encoding="utf-8"))
    if "simulations" not in record:
        raise ConfigError(f"{path}: not the record of  farfield simulate")
    return SimulationFolder(folder, record)
