"""A run that was killed, or is made longer, ends as one that was never stopped."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from ase.build import bulk

from farfield import simulate, write
from farfield.errors import ConfigError
from farfield.potentials import BlackBoxPotential
from farfield.priors import load_prior
from tests.simulation import made
from tests.simulation.made import PAUSE, START, Planted

FILES = ("trajectory.extxyz", "thermodynamics.csv")
PATIENCE = 120.0  # s


def contents(folder: Path) -> dict[str, bytes]:
    found = {path: path.read_bytes() for name in FILES for path in folder.glob(f"*/{name}")}
    return {str(path.relative_to(folder)): content for path, content in found.items()}


def arrays(folder: Path) -> dict[str, bytes]:
    with np.load(folder / "checkpoint_0000.npz") as stored:
        return {key: stored[key].tobytes() for key in stored.files if key != "content"}


SETTINGS = {"replicas": 2, "stride": 7, "checkpoint_stride": 25, "progress": False}


@pytest.mark.parametrize("ensemble", ["nve", "nvt"])
def test_made_longer_it_is_the_same_to_the_last_bit(tmp_path, ensemble):
    given = {"model": Planted(), "ensemble": ensemble, **SETTINGS}
    simulate(START, output=tmp_path / "whole", duration=0.1, **given)
    for duration in (0.03, 0.0655, 0.1):
        done = simulate(START, output=tmp_path / "parts", duration=duration, **given)
        if duration < 0.1:  # what was written after the last checkpoint
            for path in (tmp_path / "parts").glob("*/t*.*"):
                path.write_bytes(path.read_bytes() + b"half a line " * 9999)
    assert done.outcomes[0].steps == 200
    assert contents(tmp_path / "parts") == contents(tmp_path / "whole")
    assert len(contents(tmp_path / "whole")) == 4
    assert arrays(tmp_path / "parts") == arrays(tmp_path / "whole")


def test_npt_too(tmp_path):
    """Morse copper by farfield's own pairs, which remember nothing between calls."""
    crystal = bulk("Cu", cubic=True)
    crystal.rattle(0.02, seed=1)
    given = {"model": BlackBoxPotential(load_prior("morse").calculator()), **SETTINGS}
    given |= {"ensemble": "npt", "temperature": 200.0, "timestep": 2.0}
    simulate(crystal, output=tmp_path / "whole", duration=0.12, **given)
    for duration in (0.05, 0.12):
        simulate(crystal, output=tmp_path / "parts", duration=duration, **given)
    assert contents(tmp_path / "parts") == contents(tmp_path / "whole")
    assert arrays(tmp_path / "parts") == arrays(tmp_path / "whole")
    table = (tmp_path / "whole/simulation_0000/thermodynamics.csv").read_text().splitlines()
    assert table[0].endswith(",pressure_GPa,volume_A3")
    volumes = [float(row.split(",")[-1]) for row in table[1:]]
    assert volumes[0] == pytest.approx(crystal.get_volume())
    assert len(set(volumes)) == len(volumes)


@pytest.mark.slow
@pytest.mark.parametrize(("ensemble", "workers"), [("nve", 1), ("nvt", 2)])
def test_after_kill_9_it_ends_as_if_never_killed(tmp_path, ensemble, workers):
    model = f"{made.__file__}:Springs"
    settings = {"ensemble": ensemble, "replicas": 2, "duration": 0.06, "stride": 3}
    options = [word for key, value in settings.items() for word in (f"--{key}", value)]
    write(tmp_path / "start.extxyz", [START])
    (tmp_path / "settings.yaml").write_text("checkpoint_stride: 10\n")
    killed = tmp_path / "killed"
    words = ["simulate", tmp_path / "start.extxyz", "--model", model, *options]
    words += ["--workers", workers, "--config", tmp_path / "settings.yaml", "-o", killed]
    command = [sys.executable, "-m", "farfield", *map(str, words)]

    slow = os.environ | {PAUSE: "0.02"}
    with (tmp_path / "stderr").open("w") as errors:
        running = subprocess.Popen(command, env=slow, stderr=errors)
        end = time.monotonic() + PATIENCE
        table = killed / "simulation_0001/thermodynamics.csv"
        checkpoint = killed / f"checkpoint_000{workers - 1}.npz"
        try:
            while not checkpoint.exists():
                assert time.monotonic() < end and running.poll() is None, "nothing happened"
                time.sleep(0.02)
            time.sleep(0.7)  # some 30 steps
        finally:
            os.kill(running.pid, signal.SIGKILL)
            running.wait()
    time.sleep(0.5)  # worker processes end with their parent
    assert not (killed / "record.json").exists()
    with table.open("ab") as handle:
        handle.write(b"half a line " * 9999)  # as a kill in the middle of a write leaves it
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    start = tmp_path / "start.extxyz"
    simulate(start, model=model, output=tmp_path / "whole", progress=False, **settings)
    assert len(contents(killed)) == 4
    assert contents(killed) == contents(tmp_path / "whole")
    if workers == 1:  # else each process has a checkpoint of its own
        assert arrays(killed) == arrays(tmp_path / "whole")


def test_a_failed_simulation_stays_failed_and_keeps_its_frames(tmp_path):
    def fault(step, place, atoms, found):
        if (step, place) == (40, 1):
            found.forces[0] = np.nan
        return found

    given = {"output": tmp_path / "run", **SETTINGS}
    simulate(START, model=Planted(fault), duration=0.04, **given)
    before = contents(tmp_path / "run")
    kept = (tmp_path / "run/simulation_0001/failure.extxyz").read_bytes()
    done = simulate(START, model=Planted(), duration=0.05, **given)
    assert [outcome.completed for outcome in done.outcomes] == [True, False]
    assert done.outcomes[1].failure.step == 40
    assert (tmp_path / "run/simulation_0001/failure.extxyz").read_bytes() == kept
    after = contents(tmp_path / "run")
    for name in FILES:
        assert after[f"simulation_0001/{name}"] == before[f"simulation_0001/{name}"]
        assert after[f"simulation_0000/{name}"].startswith(before[f"simulation_0000/{name}"])


@pytest.mark.parametrize("changed", [{"temperature": 301.0}, {"seed": 1}, {"replicas": 3}])
def test_another_run_is_not_mixed_in(tmp_path, changed):
    given = {"model": Planted(), "output": tmp_path / "run", "duration": 0.005, **SETTINGS}
    simulate(START, **given)
    kept = contents(tmp_path / "run")
    with pytest.raises(ConfigError, match="another run"):
        simulate(START, **{**given, **changed})
    with pytest.raises(ConfigError, match="have gone 10 steps already"):
        simulate(START, **{**given, "duration": 0.002})
    assert contents(tmp_path / "run") == kept


def test_a_trajectory_that_was_cut_is_an_error(tmp_path):
    given = {"model": Planted(), "output": tmp_path / "run", **SETTINGS}
    simulate(START, duration=0.005, **given)
    (tmp_path / "run/simulation_0000/trajectory.extxyz").write_text("")
    with pytest.raises(ConfigError, match="shorter than when the checkpoint was written"):
        simulate(START, duration=0.01, **given)
