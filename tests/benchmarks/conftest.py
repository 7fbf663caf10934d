"""A tiny task and mode outside the package: EMT is the reference, Morse bonds are the prior."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import yaml
from ase import Atoms
from ase.build import molecule
from ase.calculators.emt import EMT

from farfield.structures import Labels, attach, write

LEVEL = "EMT"


def labelled(names: list[str], count: int, seed: int) -> list[Atoms]:
    """Rattled molecules with reference labels by EMT."""
    random, found = np.random.default_rng(seed), []
    for index in range(count):
        atoms = molecule(names[index % len(names)])
        atoms.positions += random.normal(scale=0.05, size=(len(atoms), 3))
        copy = atoms.copy()
        copy.calc = EMT()
        attach(atoms, Labels(copy.get_potential_energy(), copy.get_forces(), None, LEVEL))
        found.append(atoms)
    return found


def task_content() -> dict[str, object]:
    return {
        "name": "tiny",
        "title": "Small molecules",
        "level_of_theory": LEVEL,
        "licence": "MIT",
        "source": "made by a test",
        "prior": "morse",
        "train": [{"file": "train.extxyz"}],
        "control": [{"file": "control.extxyz"}],
        "shifted": {"acids": [{"file": "acids.extxyz"}], "ammonia": [{"file": "ammonia.extxyz"}]},
        "axes": {"acids": "molecules", "ammonia": "elements"},
        "groups": 2,
    }


def mode_content(contestants: list[str]) -> dict[str, object]:
    small: dict[str, object] = dict.fromkeys(("atom_channels", "edge_channels"), 8)
    small |= dict.fromkeys(("triplet_channels", "bilinear_channels", "basis_channels"), 4)
    small |= {"cutoff": 3.0, "n_blocks": 2, "n_radial": 3, "n_spherical": 2}
    return {
        "title": "Seconds",
        "tasks": ["tiny.yaml"],
        "families": ["gemnet-t"],
        "contestants": contestants,
        "seeds": [0],
        "training": {"epochs": 2},
        "retrofit_epochs": 1,
        "left_out_epochs": 1,
        "ttt_steps": 2,
        "distil_steps": 2,
        "fine_tune_steps": 2,
        "changes": {"gemnet-t": {"settings": small}},
    }


def write_yaml(path: Path, content: object) -> Path:
    path.write_text(yaml.safe_dump(content, allow_unicode=True))
    return path


@pytest.fixture
def workshop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the task, its data, and a mode of the cheapest contestants."""
    monkeypatch.chdir(tmp_path)
    write(tmp_path / "train.extxyz", labelled(["CH3OH", "H2O", "C2H6"], 18, 0))
    write(tmp_path / "control.extxyz", labelled(["CH3OH", "H2O"], 6, 1))
    write(tmp_path / "acids.extxyz", labelled(["HCOOH"], 6, 2))
    write(tmp_path / "ammonia.extxyz", labelled(["NH3"], 6, 3))
    write_yaml(tmp_path / "tiny.yaml", task_content())
    write_yaml(tmp_path / "seconds.yaml", mode_content(["supervised", "prior_alone"]))
    return tmp_path
