"""Velocity autocorrelation, vibrational spectrum, mean squared displacement."""

from __future__ import annotations

import numpy as np
import pytest
from ase import Atoms, units
from ase.build import bulk, molecule
from ase.calculators.emt import EMT
from ase.md.verlet import VelocityVerlet
from ase.optimize import BFGS

from farfield.errors import ConfigError, StructureError
from farfield.simulation.observables import (
    mean_squared_displacement,
    velocity_autocorrelation,
    vibrational_spectrum,
)
from tests.simulation.observables.made import moving, oscillator

KEPT = np.random.default_rng(6)


def test_frequency_of_an_oscillator_to_the_bin() -> None:
    found = vibrational_spectrum(oscillator(1500.0, 1.0, 7000), 1.0, resolution=10.0)
    assert found.resolution == pytest.approx(10.0, rel=1e-3)
    assert found.wavenumbers[found.density.argmax()] == pytest.approx(1500.0, abs=found.resolution)
    assert found.density.sum() * found.resolution == pytest.approx(1.0)
    assert found.density[found.wavenumbers < 1000].sum() * found.resolution < 0.01  # no drift


def test_light_and_heavy_atoms_count_by_kinetic_energy() -> None:
    time = np.arange(5000.0)
    velocities = np.zeros((len(time), 2, 3))
    for atom, wavenumber in enumerate((1000.0, 3000.0)):
        phase = 2 * np.pi * wavenumber * 2.99792458e-5 * time
        velocities[:, atom, 0] = np.cos(phase) / np.sqrt((15.999, 1.008)[atom])
    found = vibrational_spectrum(moving(velocities, "OH", velocities=velocities), 1.0)
    light = found.density[found.wavenumbers > 2000].sum() * found.resolution
    assert light == pytest.approx(0.5, abs=0.01)


def test_spectrum_of_a_simulation_is_the_harmonic_frequency() -> None:
    nitrogen = molecule("N2", calculator=EMT())
    BFGS(nitrogen, logfile=None).run(fmax=1e-4)
    stretch = 1e-3
    forces = []
    for sign in (1, -1):
        moved = nitrogen.copy()
        moved.calc = EMT()
        moved.set_distance(0, 1, nitrogen.get_distance(0, 1) + sign * stretch)
        forces.append(moved.get_forces()[1] @ (moved.positions[1] - moved.positions[0]))
    force_constant = (forces[1] - forces[0]) / (2 * stretch) / nitrogen.get_distance(0, 1)
    omega = np.sqrt(force_constant / (nitrogen.get_masses()[0] / 2)) * units.fs  # 1/fs
    expected = omega / (2 * np.pi) / 2.99792458e-5
    nitrogen.set_distance(0, 1, nitrogen.get_distance(0, 1) + 0.003)
    frames: list[Atoms] = []
    with VelocityVerlet(nitrogen, 0.5 * units.fs) as dynamics:
        dynamics.attach(lambda: frames.append(nitrogen.copy()), interval=2)
        dynamics.run(3400)
    found = vibrational_spectrum(frames, 1.0, resolution=20.0)
    blue = 1.0 + (omega * 0.5) ** 2 / 24.0
    peak = found.wavenumbers[found.density.argmax()]
    assert peak == pytest.approx(expected * blue, abs=found.resolution)


def test_autocorrelation_of_an_oscillator_is_its_cosine() -> None:
    frames = oscillator(1000.0, 2.0, 4000)
    for frame in frames:  # without the drift
        frame.set_velocities(frame.get_velocities() * [1.0, 0.0, 0.0])
    found = velocity_autocorrelation(frames, 2.0, longest=200.0)
    assert found.times[-1] == 200.0
    expected = np.cos(2 * np.pi * 1000.0 * 2.99792458e-5 * found.times)
    assert found.values == pytest.approx(expected, abs=0.01)
    assert found.mean_square == pytest.approx(0.5, abs=0.001)


def test_autocorrelation_is_the_direct_sum() -> None:
    velocities = KEPT.standard_normal((40, 3, 3)).cumsum(axis=0)
    frames = moving(velocities, "CO2", velocities=velocities)
    found = velocity_autocorrelation(frames, 1.0, longest=39.0)
    direct = [
        np.mean(np.sum(velocities[: 40 - lag] * velocities[lag:], axis=2)) for lag in range(40)
    ]
    assert found.values == pytest.approx(np.array(direct) / direct[0])
    assert found.mean_square == pytest.approx(direct[0])


def test_ballistic_motion() -> None:
    speed = np.array([[0.01, 0.0, 0.0], [0.0, 0.02, 0.0]])  # Å/fs
    positions = 1e3 + speed * 5.0 * np.arange(200)[:, None, None]
    found = mean_squared_displacement(moving(positions, "Ar2"), 5.0)
    assert len(found.times) == 100
    assert found.values == pytest.approx((1e-4 + 4e-4) / 2 * found.times**2, abs=1e-9)


def test_diffusive_motion_and_its_coefficient() -> None:
    step = 0.1
    positions = (step * KEPT.standard_normal((4000, 40, 3))).cumsum(axis=0)
    found = mean_squared_displacement(moving(positions, "Ar40"), 2.0, longest=100.0)
    assert found.diffusion_coefficient(10.0, 100.0) == pytest.approx(step**2 / 2 / 2.0, rel=0.05)
    slope = np.polyfit(np.log(found.times[1:]), np.log(found.values[1:]), 1)[0]
    assert slope == pytest.approx(1.0, abs=0.03)
    with pytest.raises(ConfigError, match="fewer than two lags"):
        found.diffusion_coefficient(200.0, 300.0)


def test_displacement_is_the_direct_mean_and_wrapping_changes_nothing() -> None:
    positions = (0.3 * KEPT.standard_normal((50, 4, 3))).cumsum(axis=0)
    frames = moving(positions, "NaClNaCl", cell=4.0)
    wrapped = [frame.copy() for frame in frames]
    for frame in wrapped:
        frame.wrap()
    for element, chosen in ((None, slice(None)), ("Na", slice(0, None, 2))):
        travel = positions[:, chosen]
        direct = [0.0] + [
            np.mean(np.sum((travel[lag:] - travel[:-lag]) ** 2, axis=2)) for lag in range(1, 25)
        ]
        for given in (frames, wrapped):
            found = mean_squared_displacement(given, 1.0, element=element)
            assert found.values == pytest.approx(direct)


def test_drift_is_removed_on_request() -> None:
    positions = np.array([[0.0, 0, 0], [2.0, 0, 0]]) + np.arange(20)[:, None, None] * [0.1, 0, 0]
    frames = moving(positions, "OH")
    assert mean_squared_displacement(frames, 1.0).values[-1] > 0.5
    still = mean_squared_displacement(frames, 1.0, remove_drift=True)
    assert still.values == pytest.approx(np.zeros(10), abs=1e-12)


def test_trajectories_that_cannot_carry_the_observable_are_refused() -> None:
    good = oscillator(1000.0, 1.0, 50)
    bare = [frame.copy() for frame in good]
    del bare[7].arrays["momenta"]
    rest = [frame.copy() for frame in good]
    for frame in rest:
        frame.set_velocities(np.zeros((2, 3)))
    wild = [frame.copy() for frame in good]
    wild[9].arrays["momenta"][0, 0] = np.inf
    with pytest.raises(StructureError, match=r"frame 7 .* no velocities"):
        velocity_autocorrelation(bare, 1.0)
    with pytest.raises(StructureError, match=r"frame 9 .* not finite"):
        velocity_autocorrelation(wild, 1.0)
    with pytest.raises(StructureError, match="are zero"):
        vibrational_spectrum(rest, 1.0, resolution=1000.0)
    with pytest.raises(StructureError, match="50 frames, and at least 3336"):
        vibrational_spectrum(good, 1.0)
    with pytest.raises(StructureError, match="at least 61"):
        velocity_autocorrelation(good, 1.0, longest=60.0)
    with pytest.raises(StructureError, match="at least 2"):
        mean_squared_displacement(good[:1], 1.0)
    with pytest.raises(ConfigError, match="interval is 0"):
        mean_squared_displacement(good, 0.0)
    with pytest.raises(ConfigError, match="no 'C'"):
        mean_squared_displacement(good, 1.0, element="C")
    with pytest.raises(StructureError, match=r"cell .* changes"):
        mean_squared_displacement([bulk("Cu", a=3.6), bulk("Cu", a=3.7)], 1.0)
