"""Smooth and jagged surfaces are told apart, and smooth ones have the numbers of theory."""

from __future__ import annotations

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk, molecule
from ase.calculators.emt import EMT
from ase.calculators.lj import LennardJones
from ase.calculators.morse import MorsePotential

from farfield.errors import ConfigError, ModelError, StructureError
from farfield.priors.morse import MorsePrior
from farfield.simulation.smoothness import (
    Scan,
    bond_scan,
    consistency,
    energy_surface,
    force_noise,
    path_scan,
    relaxed,
    roughness,
    softest_modes,
)
from tests.simulation.smoothness.calculators import Broken, Jagged

SIGMA, EPSILON = 3.4, 0.5
SPRING = 72.0 / 2 ** (1 / 3) * EPSILON / SIGMA**2  # V'' of Lennard-Jones at its minimum


def argon(calculator: LennardJones) -> Atoms:
    triangle = Atoms("Ar3", [[0, 0, 0], [3.9, 0, 0], [1.9, 3.3, 0.2]])
    return relaxed(triangle, calculator, largest_force=1e-5)


def lennard_jones() -> LennardJones:
    return LennardJones(sigma=SIGMA, epsilon=EPSILON, rc=30.0)


def morse() -> MorsePotential:
    return MorsePotential(epsilon=4.0, rho0=3.0, r0=1.2)


def nitrogen_scan(calculator: object) -> Scan:
    nitrogen = Atoms("N2", [[0, 0, 0], [0.72, 0.72, 0.64]])
    return bond_scan(nitrogen, (0, 1), calculator, points=141)


def test_relaxed_triangle_is_equilateral_and_free_of_the_calculator() -> None:
    calculator = lennard_jones()
    found = argon(calculator)
    distances = found.get_all_distances()[np.triu_indices(3, 1)]
    assert distances == pytest.approx([2 ** (1 / 6) * SIGMA] * 3, abs=1e-4)
    assert found.calc is None


def test_modes_of_a_triangle_are_those_of_theory() -> None:
    calculator = lennard_jones()
    triangle = argon(calculator)
    modes = softest_modes(triangle, calculator, 3)
    assert modes.curvatures == pytest.approx(SPRING * np.array([1.5, 1.5, 3.0]), rel=0.01)
    flat = modes.directions.reshape(3, -1)
    assert np.linalg.norm(flat, axis=1) == pytest.approx(1.0)
    assert modes.directions.sum(axis=1) == pytest.approx(np.zeros((3, 3)), abs=1e-6)
    turn = np.cross(triangle.positions - triangle.get_center_of_mass(), modes.directions)
    assert turn.sum(axis=1) == pytest.approx(np.zeros((3, 3)), abs=1e-3)
    with pytest.raises(StructureError, match="has 3 vibrations, not 4"):
        softest_modes(triangle, calculator, 4)


def test_masses_weigh_and_straight_molecules_lose_five_motions() -> None:
    water = Atoms("N2", [[0, 0, 0], [1.2, 0, 0]])
    water.set_masses([1.0, 3.0])
    modes = softest_modes(water, morse(), 1)
    assert np.abs(modes.directions[0, :, 0]) == pytest.approx(np.array([3, 1]) / np.sqrt(10))
    assert modes.curvatures[0] == pytest.approx(2 * 4 * (3 / 1.2) ** 2 * 1.6, rel=0.01)
    with pytest.raises(StructureError, match="has 1 vibrations"):
        softest_modes(water, morse(), 2)


def test_crystals_have_modes_too() -> None:
    copper = bulk("Cu", cubic=True)
    modes = softest_modes(copper, EMT())
    assert modes.directions.shape == (2, 4, 3)
    assert (modes.curvatures > 0).all()


def test_surface_of_a_minimum_is_the_parabola_of_its_modes() -> None:
    calculator = lennard_jones()
    triangle = argon(calculator)
    modes = softest_modes(triangle, calculator)
    surface = energy_surface(triangle, modes.directions, calculator, reach=0.04, points=5)
    first, second = np.meshgrid(surface.first, surface.second, indexing="ij")
    expected = 0.5 * (modes.curvatures[0] * first**2 + modes.curvatures[1] * second**2)
    assert surface.energies == pytest.approx(expected, rel=0.1, abs=1e-9)
    assert surface.energies[2, 2] == 0.0


def test_surface_axes_are_not_swapped() -> None:
    directions = np.zeros((2, 2, 3))
    directions[0, 1, 0] = directions[1, 1, 1] = 1.0
    pair = Atoms("N2", [[0, 0, 0], [1.2, 0, 0]])
    surface = energy_surface(pair, directions, morse(), reach=0.1, points=3)
    assert surface.energies[2, 1] > 5 * surface.energies[1, 2] > 0


def test_bond_scan_is_the_morse_curve() -> None:
    scan = nitrogen_scan(morse())
    bound = np.exp(-3.0 * (scan.coordinate / 1.2 - 1.0))
    assert scan.energies == pytest.approx(4.0 * bound * (bound - 2.0), abs=1e-9)
    slope = -4.0 * 3.0 / 1.2 * (2.0 * bound**2 - 2.0 * bound)
    assert scan.forces == pytest.approx(-slope, abs=1e-6)
    assert scan.coordinate[[0, -1]] == pytest.approx(np.array([0.8, 1.5]) * np.sqrt(1.4464))
    assert scan.lengths[-1] == pytest.approx(np.ptp(scan.coordinate))


def test_bond_scan_moves_what_hangs_on_the_second_atom() -> None:
    ethanol = molecule("CH3CH2OH")
    hydroxyl = bond_scan(ethanol, (1, 2), MorsePrior().calculator(), points=9)
    moved = hydroxyl.lengths[-1] / np.ptp(hydroxyl.coordinate)
    assert moved == pytest.approx(np.sqrt(2))  # O and its H
    benzene = molecule("C6H6")
    ring = bond_scan(benzene, (0, 1), MorsePrior().calculator(), points=9)
    assert ring.lengths[-1] / np.ptp(ring.coordinate) == pytest.approx(1.0)


@pytest.mark.parametrize("base", [morse, MorsePrior().calculator])
def test_a_ripple_in_the_energy_is_told_from_a_smooth_surface(base: object) -> None:
    smooth, jagged = nitrogen_scan(base()), nitrogen_scan(Jagged(base(), energy=0.005))
    assert consistency(smooth).largest_mismatch < 2e-4
    assert consistency(jagged).largest_mismatch > 5e-3
    assert consistency(jagged).quadrature_error == consistency(smooth).quadrature_error
    assert roughness(jagged).curvature > 20 * roughness(smooth).curvature
    assert roughness(jagged).relative > 1.0 > 0.1 > roughness(smooth).relative


def test_a_ripple_in_the_forces_is_seen_by_the_noise() -> None:
    nitrogen = Atoms("N2", [[0, 0, 0], [1.3, 0, 0]])
    smooth = force_noise(nitrogen, morse())
    noisy = force_noise(nitrogen, Jagged(morse(), force=1.0), rattles=40)
    assert smooth.ratio < 0.2
    assert smooth.noise < 0.05
    assert noisy.ratio == pytest.approx(np.sqrt(3), abs=0.35)
    assert noisy.noise == pytest.approx(np.sqrt(0.5), rel=0.4)
    finer = force_noise(nitrogen, morse(), displacement=0.001)
    assert finer.ratio == pytest.approx(smooth.ratio / 10, rel=0.05)


def test_roughness_does_not_see_a_cubic_and_measures_white_noise() -> None:
    lengths = np.linspace(0.0, 2.0, 401)
    cubic = lengths**3 - lengths
    assert roughness(Scan(lengths, lengths, cubic, cubic)).relative < 1e-6
    noise = 1e-3 * np.random.default_rng(8).standard_normal(401)
    expected = np.sqrt(6) * 1e-3 / 0.005**2
    found = roughness(Scan(lengths, lengths, cubic + noise, cubic))
    assert found.curvature == pytest.approx(expected, rel=0.1)


def test_force_of_half_the_slope_is_a_mismatch() -> None:
    scan = nitrogen_scan(morse())
    half = Scan(scan.lengths, scan.coordinate, scan.energies, 0.5 * scan.forces)
    depth = scan.energies[0] - scan.energies.min()
    assert consistency(half).largest_mismatch == pytest.approx(depth / 2, rel=0.01)


def test_a_curved_path_conserves_energy() -> None:
    turn = np.linspace(0.0, np.pi / 2, 41)
    path = np.zeros((41, 2, 3))
    path[:, 1] = np.stack([1.1 * np.cos(turn), 1.4 * np.sin(turn), 0 * turn], axis=1)
    found = consistency(path_scan(Atoms("N2"), path, morse()))
    assert found.largest_mismatch < 1e-4


def test_what_is_not_finite_is_named() -> None:
    pair = Atoms("N2", [[0, 0, 0], [1.2, 0, 0]])
    with pytest.raises(ModelError, match=r"point \d+ of 71 .* not finite"):
        bond_scan(pair, (0, 1), Broken(1.3))
    with pytest.raises(ModelError, match=r"does not relax: after 0 steps .* nan"):
        relaxed(pair, Broken(1.0))
    with pytest.raises(ModelError, match="does not relax: after 2 steps"):
        relaxed(Atoms("N2", [[0, 0, 0], [1.9, 0, 0]]), morse(), steps=2)


def test_impossible_requests_are_refused() -> None:
    pair = Atoms("N2", [[0, 0, 0], [1.2, 0, 0]])
    far = Atoms("N2", [[0, 0, 0], [5.0, 0, 0]])
    with pytest.raises(StructureError, match="not bonded"):
        bond_scan(far, (0, 1), morse())
    with pytest.raises(StructureError, match="periodic"):
        bond_scan(bulk("Cu", cubic=True), (0, 1), EMT())
    with pytest.raises(ConfigError, match="odd number"):
        energy_surface(pair, np.zeros((2, 2, 3)), morse(), points=4)
    with pytest.raises(ConfigError, match="directions of shape"):
        energy_surface(pair, np.zeros((2, 3)), morse())
    with pytest.raises(ConfigError, match="path of 2 points"):
        path_scan(pair, np.zeros((2, 2, 3)), morse())
    with pytest.raises(ConfigError, match="10 points, and 32"):
        roughness(bond_scan(pair, (0, 1), morse(), points=10))
    with pytest.raises(StructureError, match="no force"):
        force_noise(Atoms("N"), morse())
