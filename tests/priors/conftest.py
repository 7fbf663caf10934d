from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from ase import Atoms

CALCULATORS = Path(__file__).with_name("calculators.py")


@pytest.fixture
def named():
    """The address of a calculator or prior in calculators.py."""
    return lambda name: f"{CALCULATORS}:{name}"


@pytest.fixture
def chain():
    """Make n dimers of hydrogen, no two alike: bonds of 1.00, 1.05, ... Å."""

    def make(count: int) -> list[Atoms]:
        return [
            Atoms("H2", positions=[[0.0, 0.0, 0.0], [0.0, 0.0, 1.0 + 0.05 * index]])
            for index in range(count)
        ]

    return make


@pytest.fixture
def log(tmp_path, monkeypatch):
    """The bond lengths computed so far by calculators.py; in order for each process."""
    folder = tmp_path / "computed"
    monkeypatch.setenv("FARFIELD_TEST_LOG", str(folder))
    return lambda: [line for file in folder.glob("*") for line in file.read_text().splitlines()]


@pytest.fixture
def farfield():
    """Run the command line in a process of its own."""

    def run(*arguments: object) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "farfield", *map(str, arguments)],
            capture_output=True,
            text=True,
            env=os.environ | {"OMP_NUM_THREADS": "1"},
            timeout=300,
            check=False,
        )

    return run
