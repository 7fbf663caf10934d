"""A trajectory in HDF5 holds what one in extended XYZ does, and outlives a killed run."""

from __future__ import annotations

import shutil
import sys

import numpy as np
import pytest
from ase.build import bulk

from farfield import read, simulate
from farfield.errors import ConfigError, DependencyError, StructureError
from farfield.potentials import BlackBoxPotential
from farfield.priors import load_prior
from farfield.simulation.observables import interatomic_distances
from farfield.simulation.trajectory import last_frames
from farfield.simulation.trajectory_hdf5 import Hdf5Trajectory
from tests.simulation.made import START, Planted

h5py = pytest.importorskip("h5py", reason="h5py is not installed: pip install 'farfield[data]'")
NAME, TEXT = "simulation_0000/trajectory.h5", "simulation_0000/trajectory.extxyz"
SETTINGS = {"stride": 2, "checkpoint_stride": 25, "replicas": 2, "progress": False}


def frames_of(folder, index=0, ending="h5"):
    return read(folder / f"simulation_{index:04d}/trajectory.{ending}")


def require_same(first, second, tolerance=2e-8):
    assert len(first) == len(second)
    for one, other in zip(first, second, strict=True):
        assert np.array_equal(one.numbers, other.numbers)
        assert np.array_equal(one.pbc, other.pbc)
        for name in ("positions", "momenta", "farfield_forces"):
            assert np.allclose(one.arrays[name], other.arrays[name], rtol=0, atol=tolerance)
        assert np.allclose(one.cell, other.cell, rtol=0, atol=tolerance)
        assert one.info.keys() == other.info.keys()
        for key, value in one.info.items():
            if key == "farfield_energy":
                assert value == pytest.approx(other.info[key], abs=1e-7)
            elif key != "farfield_file":
                assert value == other.info[key], key


def test_it_holds_what_extended_xyz_holds(tmp_path):
    crystal = bulk("Cu", cubic=True)
    crystal.rattle(0.02, seed=1)
    crystal.pbc = True
    copper = BlackBoxPotential(load_prior("morse").calculator())
    npt = {"ensemble": "npt", "temperature": 200.0, "timestep": 2.0, "model": copper}
    for name, start, given in (
        ("npt", crystal, {**npt, "duration": 0.05}),
        ("nvt", START, {"model": Planted(), "duration": 0.05}),
    ):
        for kind, ending in (("hdf5", "h5"), ("extxyz", "extxyz")):
            folder = tmp_path / name / kind
            simulate(start, output=folder, trajectory_format=kind, **given, **SETTINGS)
            written = [path.suffix for path in folder.glob("simulation_0000/traj*")]
            assert written == [f".{ending}"]
        for index in range(2):
            found = frames_of(tmp_path / name / "hdf5", index)
            require_same(found, frames_of(tmp_path / name / "extxyz", index, "extxyz"))
    assert len({atoms.get_volume() for atoms in frames_of(tmp_path / "npt/hdf5")}) > 5
    assert interatomic_distances(found).difference(interatomic_distances(found)) == 0.0
    path = tmp_path / "nvt/hdf5" / NAME
    for kind, file in (("hdf5", path), ("extxyz", tmp_path / "nvt/extxyz" / TEXT)):
        steps = [atoms.info["farfield_step"] for atoms in last_frames(file, 4)]
        assert steps == [94, 96, 98, 100], kind
        assert len(last_frames(file, 400)) == 51, kind
    with h5py.File(path) as handle:
        units = {name: handle[f"particles/atoms/{name}/value"].attrs["unit"] for name in
                 ("position", "velocity", "force")}  # fmt: skip
        assert units == {
            "position": "Angstrom",
            "velocity": "Angstrom fs-1",
            "force": "eV Angstrom-1",
        }
        assert handle["particles/atoms/position/time"].attrs["unit"] == "fs"
        assert handle["observables/atoms/potential_energy/value"].attrs["unit"] == "eV"
        assert list(handle["h5md"].attrs["version"]) == [1, 1]
        assert list(handle["particles/atoms/force/step"]) == list(range(0, 101, 2))


def test_charge_and_spin_are_kept(tmp_path):
    start = START.copy()
    start.info |= {"charge": 1, "spin": 2}
    given = {"model": Planted(), "trajectory_format": "hdf5", "duration": 0.002, **SETTINGS}
    simulate(start, output=tmp_path, **given)
    assert {(a.info["charge"], a.info["spin"]) for a in frames_of(tmp_path)} == {(1, 2)}


@pytest.mark.parametrize("at", [70, 160])
def test_from_what_a_kill_leaves_it_ends_as_if_never_killed(tmp_path, at):
    """The files as they are in the middle of a run are what a kill leaves."""

    def fault(step, place, atoms, found):
        if (step, place) == (at, 0):
            running = frames_of(tmp_path / "run")  # it can be read while it runs
            assert (at // 25) * 25 - 2 <= running[-1].info["farfield_step"] < at
            shutil.copytree(tmp_path / "run", tmp_path / "killed")
        return found

    given = {"duration": 0.1, "trajectory_format": "hdf5", **SETTINGS}
    simulate(START, model=Planted(fault), output=tmp_path / "run", **given)
    with pytest.raises(OSError, match="already open for write"):  # it was not closed
        h5py.File(tmp_path / "killed" / NAME, "r+")
    simulate(START, model=Planted(), output=tmp_path / "killed", **given)
    for index in range(2):
        whole = frames_of(tmp_path / "run", index)
        assert [atoms.info["farfield_step"] for atoms in whole] == list(range(0, 201, 2))
        require_same(frames_of(tmp_path / "killed", index), whole, 0.0)
    with h5py.File(tmp_path / "killed" / NAME) as handle:
        assert handle["observables/atoms/segment/step"] == handle["particles/atoms/position/step"]


def test_made_longer_it_is_the_same(tmp_path):
    given = {"model": Planted(), "trajectory_format": "hdf5", **SETTINGS}
    for duration in (0.0305, 0.1):
        simulate(START, output=tmp_path / "parts", duration=duration, **given)
    simulate(START, output=tmp_path / "whole", duration=0.1, **given)
    require_same(frames_of(tmp_path / "parts"), frames_of(tmp_path / "whole"), 0.0)


def test_frames_after_the_checkpoint_are_cut_off(tmp_path):
    given = {"model": Planted(), "trajectory_format": "hdf5", "duration": 0.01, **SETTINGS}
    simulate(START, output=tmp_path, **given)
    whole = frames_of(tmp_path)
    assert len(whole) == 11
    Hdf5Trajectory(tmp_path / NAME, "springs", 4).close()
    require_same(frames_of(tmp_path), whole[:4], 0.0)


@pytest.mark.parametrize("how", ["missing", "truncated", "shorter"])
def test_one_that_was_damaged_is_an_error(tmp_path, how):
    given = {"model": Planted(), "trajectory_format": "hdf5", "output": tmp_path, **SETTINGS}
    simulate(START, duration=0.02, **given)
    path = tmp_path / NAME
    if how == "missing":
        path.unlink()
    elif how == "truncated":
        path.write_bytes(path.read_bytes()[:3000])
    else:
        with h5py.File(path, "r+") as handle:
            handle["particles/atoms/force/value"].resize(3, axis=0)
    with pytest.raises(ConfigError, match="missing, or shorter than when the checkpoint"):
        simulate(START, duration=0.04, **given)


def test_other_hdf5_files_are_refused(tmp_path):
    path = tmp_path / "other.h5"
    with h5py.File(path, "w") as handle:
        handle["positions"] = np.zeros(3)
    with pytest.raises(StructureError, match="by an unknown program, not by farfield"):
        read(path)
    path.write_bytes(b"no HDF5 at all, but long enough to be looked at")
    with pytest.raises(StructureError, match="no whole trajectory in the layout H5MD"):
        read(path)


def test_without_the_package_it_is_said_at_once(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "h5py", None)
    with pytest.raises(DependencyError, match=r"farfield\[data\]"):
        simulate(START, model=Planted(), output=tmp_path / "run", trajectory_format="hdf5")
    assert not (tmp_path / "run").exists()
