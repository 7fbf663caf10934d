"""Simulations in one batch go as each would alone."""

from __future__ import annotations

import numpy as np
import pytest
from ase import units
from ase.build import bulk, molecule
from ase.calculators.lj import LennardJones
from ase.io import read
from ase.md.langevin import Langevin
from ase.md.verlet import VelocityVerlet

from farfield import embedded, load_model, simulate
from farfield.errors import FarfieldError
from farfield.potentials import BlackBoxPotential
from farfield.simulation.lock_step import LockStep
from farfield.simulation.model_calls import ModelCalls
from tests.simulation.made import START, Planted, springs


def trajectory(folder, index):
    return read(folder / f"simulation_{index:04d}" / "trajectory.extxyz", index=":")


def test_ases_own_run_is_the_same_to_the_last_bit(tmp_path):
    """NVE and NVT by ASE directly, from the momenta of the first frame."""
    for ensemble in ("nve", "nvt"):
        folder = tmp_path / ensemble
        given = {"ensemble": ensemble, "replicas": 3, "duration": 0.02, "seed": 5, "stride": 1}
        simulate(START, model=Planted(), output=folder, progress=False, **given)
        for copy in range(3):
            random = np.random.default_rng((5, 0, copy))
            atoms = START.copy()
            width = np.sqrt(atoms.get_masses() * units.kB * 300.0)
            atoms.set_momenta(width[:, None] * random.normal(size=(5, 3)))
            if ensemble == "nve":
                from ase.md.velocitydistribution import Stationary

                Stationary(atoms)
            atoms.calc = Planted().calculator()
            if ensemble == "nve":
                dynamics = VelocityVerlet(atoms, 0.5 * units.fs)
            else:
                dynamics = Langevin(
                    atoms,
                    0.5 * units.fs,
                    temperature_K=300.0,
                    friction=0.01 / units.fs,
                    fixcm=False,
                    rng=random,
                )
            dynamics.run(40)
            with np.load(folder / "checkpoint_0000.npz") as stored:
                assert np.array_equal(stored[f"{copy}/positions"], atoms.positions)
                assert np.array_equal(stored[f"{copy}/momenta"], atoms.get_momenta())


def test_langevin_keeps_the_temperature(tmp_path):
    settings = {"replicas": 8, "duration": 1.0, "timestep": 1.0, "friction": 0.05, "stride": 5}
    done = simulate(START, model=Planted(), output=tmp_path / "run", progress=False, **settings)
    assert done.record["share_alive"] == 1.0
    tables = [
        np.loadtxt(path, delimiter=",", skiprows=1)
        for path in sorted((tmp_path / "run").glob("*/thermodynamics.csv"))
    ]
    assert [table.shape for table in tables] == [(201, 6)] * 8
    # 8 ps of 15 degrees of freedom; a few tens of independent samples
    assert np.mean([table[:, 5] for table in tables]) == pytest.approx(300.0, rel=0.1)
    assert np.allclose([t[:, 2] + t[:, 3] for t in tables], [t[:, 4] for t in tables], atol=1e-7)


def test_npt_finds_the_pressure(tmp_path):
    """A Lennard-Jones crystal, compressed, expands to zero pressure."""
    crystal = bulk("Ar", cubic=True, a=5.1) * (2, 2, 2)
    model = BlackBoxPotential(LennardJones(sigma=3.4, epsilon=0.0104, rc=8.0, smooth=True))
    settings = {
        "ensemble": "npt",
        "temperature": 20.0,
        "timestep": 4.0,
        "duration": 2.0,
        "friction": 0.01,
        "barostat_time": 200.0,
        "checks": {"allow_reactions": True},
    }
    done = simulate(crystal, model=model, output=tmp_path / "run", progress=False, **settings)
    assert done.record["failures"] == {}
    table = np.loadtxt(
        tmp_path / "run/simulation_0000/thermodynamics.csv", delimiter=",", skiprows=1
    )
    pressure, volume = table[:, 6], table[:, 7]
    assert pressure[0] > 0.2  # GPa
    assert abs(pressure[len(pressure) // 2 :].mean()) < 0.05
    assert volume[-1] > 1.02 * volume[0]


@pytest.fixture(scope="module")
def mace():
    torch = pytest.importorskip("torch")
    pytest.importorskip("mace", reason="mace-torch is not installed: pip install 'farfield[mace]'")
    return load_model(str(embedded.MODELS["embedded"]), dtype=torch.float64)


@pytest.mark.slow
def test_a_batch_of_mace_is_each_alone_step_by_step(tmp_path, mace):
    starts = [molecule("CH3CH2OH"), molecule("H2O")]
    given = {"model": mace, "ensemble": "nve", "replicas": 2, "duration": 0.005, "stride": 1}
    simulate(starts, output=tmp_path / "together", progress=False, **given)
    simulate(starts, output=tmp_path / "alone", progress=False, batch=1, **given)
    for index in range(4):
        together = trajectory(tmp_path / "together", index)
        alone = trajectory(tmp_path / "alone", index)
        assert len(together) == len(alone) == 11
        for one, other in zip(together, alone, strict=True):
            assert np.allclose(one.positions, other.positions, rtol=0, atol=2e-8)
            forces = [atoms.arrays["farfield_forces"] for atoms in (one, other)]
            assert np.allclose(*forces, rtol=0, atol=2e-7)


@pytest.mark.slow
def test_mace_made_longer_is_the_same_to_the_last_bit(tmp_path):
    pytest.importorskip("mace", reason="mace-torch is not installed: pip install 'farfield[mace]'")
    given = {"model": "embedded", "replicas": 2, "checkpoint_stride": 4, "progress": False}
    start = molecule("H2O")
    simulate(start, output=tmp_path / "whole", duration=0.008, **given)
    for duration in (0.003, 0.008):
        simulate(start, output=tmp_path / "parts", duration=duration, **given)
    with (
        np.load(tmp_path / "whole/checkpoint_0000.npz") as whole,
        np.load(tmp_path / "parts/checkpoint_0000.npz") as parts,
    ):
        for key in ("0/positions", "1/momenta", "1/last_forces"):
            assert np.array_equal(whole[key], parts[key])


def calls(potential, count):
    return ModelCalls(potential, None, [START], [0] * count, stress=False)


def test_what_happens_in_a_move_comes_out_of_it():
    together = LockStep(calls(Planted(), 3), 3)

    def good(index):
        return lambda: together.ask(index, START)

    def bad():
        together.ask(1, START)
        raise FarfieldError("its own fault")

    errors = together.advance({0: good(0), 1: bad, 2: good(2)})
    assert {index: str(error) for index, error in errors.items()} == {1: "its own fault"}

    def wrong():
        raise TypeError("a bug")

    with pytest.raises(TypeError, match="a bug"):
        together.advance({0: good(0), 1: wrong, 2: good(2)})
    together.close()


def test_an_interruption_leaves_no_thread_behind():
    def fault(step, place, atoms, found):
        raise KeyboardInterrupt

    together = LockStep(calls(Planted(fault), 3), 3)
    moves = {index: lambda index=index: together.ask(index, START) for index in range(3)}
    with pytest.raises(KeyboardInterrupt):
        together.advance(moves)
    together.close()  # would wait for ever for a thread that waits


def test_simulations_that_ask_unequally_often_do_not_wait_for_ever():
    potential = Planted()
    together = LockStep(calls(potential, 3), 3)

    def move(index):
        return lambda: [together.ask(index, START) for _ in range(index)]

    assert together.advance({index: move(index) for index in range(3)}) == {}
    assert potential.sizes == [2, 1]
    assert together.ask(0, START).energy == springs(START).energy
    together.close()
