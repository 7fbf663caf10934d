"""Each check fires on what it is for, and is silent on what looks a little like it."""

from __future__ import annotations

import numpy as np
import pytest
from ase import Atoms, units
from ase.build import bulk, molecule

import farfield
from farfield.priors import CalculatorPrior
from farfield.simulation.checks import (
    BondBreaking,
    BondForming,
    Drift,
    Energy,
    Frame,
    Lost,
    NotANumber,
    Overlap,
    PriorDisagreement,
    Shift,
    Temperature,
)
from tests.simulation.made import START, Soft, springs


def frame(atoms: Atoms = START, step: int = 0, energy: float = 0.0, forces=None, kinetic=0.0):
    moving = atoms.copy()
    speed = np.sqrt(2.0 * kinetic * moving.get_masses() / len(atoms))  # as momentum along x
    moving.set_momenta(np.outer(speed, [1.0, 0.0, 0.0]))
    given = np.zeros((len(atoms), 3)) if forces is None else forces
    return Frame(step, float(step), moving, energy, given)


def moved(atoms: Atoms, index: int, by) -> Atoms:
    copy = atoms.copy()
    copy.positions[index] += by
    return copy


def begun(check, atoms: Atoms = START, **figures):
    check.begin(frame(atoms, **figures))
    return check


@pytest.mark.parametrize("what", ["force", "position", "momentum", "energy"])
@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_not_a_number(what, value):
    check = NotANumber()
    assert check.look(frame(forces=np.full((5, 3), 1e12))) is None
    broken = frame()
    if what == "energy":
        broken = frame(energy=value)
    else:
        arrays = {
            "force": broken.forces,
            "position": broken.atoms.positions,
            "momentum": broken.atoms.arrays["momenta"],
        }
        arrays[what][3, 1] = value
    found = check.look(broken)
    assert what in found.message
    assert found.atoms == (() if what == "energy" else (3,))


def test_temperature():
    atoms = bulk("Cu", cubic=True) * (3, 3, 3)
    thermal = 1.5 * len(atoms) * units.kB * 300.0

    def looks(*multiples):
        check = begun(Temperature(300.0, 5.0, 3, 1), atoms)
        found = [check.look(frame(atoms, kinetic=each * thermal)) for each in multiples]
        assert check.figures() == {"largest_temperature_K": pytest.approx(max(multiples) * 300)}
        return found

    assert looks(4.9, 4.9, 4.9, 4.9) == [None] * 4
    sustained = looks(1.0, 5.1, 5.1, 5.1)
    assert sustained[:3] == [None] * 3
    assert sustained[3].value == pytest.approx(1530.0)
    assert looks(19.0, 6.0, 1.0, 1.0)[3] is None  # the strain of a start, taken away
    assert looks(20.1)[0].value == pytest.approx(6030.0)  # this is no strain


def test_temperature_of_few_atoms_may_fluctuate():
    """One look in 10⁹ at 2 atoms exceeds 8.9 times the mean; chi-square of 6 degrees."""
    check = begun(Temperature(300.0, 5.0, 1, 1), Atoms("H2"))
    mean = 3.0 * units.kB * 300.0
    assert check.look(frame(Atoms("H2"), kinetic=8.5 * mean)) is None
    assert check.look(frame(Atoms("H2"), kinetic=9.5 * mean)) is not None


@pytest.mark.parametrize("sign", [1, -1])
def test_energy(sign):
    check = begun(Energy(300.0, 10.0, 0.1, total=False, stride=1), energy=-100.0)
    limit = 10.0 * 1.5 * units.kB * 300.0 * 5
    assert check.look(frame(energy=-100.0 + sign * 0.99 * limit, kinetic=9.0)) is None
    found = check.look(frame(energy=-100.0 + sign * 1.01 * limit))
    assert found.value == pytest.approx(sign * 1.01 * limit / 5)
    assert ("above" if sign > 0 else "below") in found.message


def test_energy_in_nve_is_the_total():
    check = begun(Energy(300.0, 10.0, 0.1, total=True, stride=1), energy=-100.0)
    assert check.look(frame(energy=-104.0, kinetic=4.0)) is None
    assert check.look(frame(energy=-100.0, kinetic=4.0)) is not None


def test_bond_breaking():
    check = begun(BondBreaking(1.2, 1.6, 1))
    along = START.positions[2] / np.linalg.norm(START.positions[2])
    bond, radii = START.get_distance(0, 2), 0.76 + 0.31
    assert check.look(frame(moved(START, 2, along * (1.59 * radii - bond)))) is None
    found = check.look(frame(moved(START, 2, along * (1.61 * radii - bond))))
    assert found.atoms == (0, 2)
    assert found.value == pytest.approx(1.61)
    assert "C0-H2" in found.message


def test_a_bond_across_the_boundary_of_a_cell_is_no_broken_one():
    atoms = molecule("CO", cell=[6, 6, 6], pbc=True)
    atoms.positions[1] += [0, 0, 6]  # the same crystal
    check = begun(BondBreaking(1.2, 1.6, 1), atoms)
    assert check.look(frame(atoms)) is None
    assert check.look(frame(moved(atoms, 1, [0, 2.5, 0]))).atoms == (0, 1)


def test_bond_forming():
    pair = molecule("CH4") + molecule("CH4")
    pair.positions[5:] += [6.0, 0, 0]
    check = begun(BondForming(1.2, 1.4, 1), pair)
    assert check.look(frame(pair)) is None
    near = pair.copy()
    near.positions[5:] -= [6.0 - 1.9, 0, 0]  # the carbons 1.9 Å apart, 1.25 of the radii
    near.positions[[1, 2, 3, 4]] += [-9.0, 0, 0]
    near.positions[[6, 7, 8, 9]] += [9.0, 0, 0]
    assert check.look(frame(near)) is None
    found = check.look(frame(moved(near, 5, [-0.2, 0, 0])))
    assert found.atoms == (0, 5)
    assert found.value == pytest.approx(1.7 / 1.52, abs=1e-3)


def test_a_bond_of_the_start_that_swings_forms_none():
    check = begun(BondForming(1.2, 1.4, 1))
    assert check.look(frame(moved(START, 2, 0.3 * START.positions[2]))) is None
    assert check.look(frame(moved(START, 2, -0.2 * START.positions[2]))) is None


def test_overlap():
    check = Overlap(0.5, 1)
    toward = START.positions[1] / np.linalg.norm(START.positions[1])
    bond, radii = START.get_distance(0, 1), 0.76 + 0.31
    assert check.look(frame(moved(START, 1, toward * (0.51 * radii - bond)))) is None
    assert check.look(frame(moved(START, 1, toward * (0.49 * radii - bond)))).atoms == (0, 1)


def test_overlap_with_an_image():
    atoms = Atoms("CC", positions=[[0, 0, 0], [0, 0, 5.5]], cell=[6, 6, 6], pbc=True)
    assert Overlap(0.5, 1).look(frame(atoms)).atoms == (0, 1)
    atoms.pbc = False
    assert Overlap(0.5, 1).look(frame(atoms)) is None


def test_lost():
    check = begun(Lost(5.0, 1))
    assert check.look(frame(moved(START, 3, [0, 0, -4.0]))) is None
    assert check.look(frame(moved(START, 3, [0, 0, -9.0]))).atoms == (3,)


def test_an_atom_that_was_alone_is_not_lost_and_one_across_the_cell_is_not():
    atoms = START + Atoms("He", positions=[[20, 0, 0]])
    check = begun(Lost(5.0, 1), atoms)
    assert check.look(frame(atoms)) is None
    crystal = molecule("CH4", cell=[8, 8, 8], pbc=True)
    check = begun(Lost(5.0, 1), crystal)
    assert check.look(frame(moved(crystal, 3, [0, 0, -80.0]))) is None


@pytest.mark.parametrize(("slope", "fires"), [(0.006, True), (0.004, False), (-0.006, True)])
def test_drift(slope, fires):
    check = begun(Drift(0.005, 500.0, 10))
    found = {
        step: check.look(frame(step=step, energy=5 * slope * 1e-3 * step))
        for step in range(0, 600, 10)
    }
    first = [step for step, finding in found.items() if finding is not None]
    assert first[:1] == ([500] if fires else [])
    if fires:
        assert found[500].value == pytest.approx(slope)


def test_oscillation_is_no_drift():
    check = begun(Drift(1e-4, 500.0, 10))
    for step in range(0, 3000, 10):
        assert check.look(frame(step=step, energy=0.02 * np.sin(step / 17.0))) is None


def drawn(random, scale):
    atoms = START.copy()
    atoms.positions += random.normal(scale=scale, size=(5, 3))
    return frame(atoms, forces=springs(atoms).forces)


def test_prior_disagreement():
    prior = CalculatorPrior(Soft, name="soft", level_of_theory="soft springs")
    check = PriorDisagreement(prior, factor=3.0, floor=0.1, window=5, stride=1, stops=False)
    random = np.random.default_rng(0)
    for _ in range(20):
        assert check.look(drawn(random, 0.03)) is None
    found = [check.look(drawn(random, 0.3)) for _ in range(5)]
    assert found[-1] is not None
    assert "soft" in found[-1].message
    assert found[-1].value > found[-1].limit


def test_a_prior_that_fails_is_counted_and_says_nothing():
    prior = CalculatorPrior(Soft, name="soft", level_of_theory="soft springs", elements=[1])
    check = PriorDisagreement(prior, factor=3.0, floor=0.1, window=2, stride=1, stops=False)
    assert [check.look(frame()) for _ in range(5)] == [None] * 5
    assert check.figures() == {"prior_failures": 5.0}


@pytest.fixture(scope="module")
def profile():
    random = np.random.default_rng(1)
    return farfield.profile([drawn(random, 0.03).atoms for _ in range(40)], cutoff=4.0)


def test_shift(profile):
    check = Shift(profile, None, quantile=0.99, window=3, stride=1, stops=False)
    random = np.random.default_rng(2)
    assert [check.look(drawn(random, 0.03)) for _ in range(10)] == [None] * 10
    far = [check.look(drawn(random, 0.6)) for _ in range(3)]
    assert far[-1] is not None
    assert "connectivity" in far[-1].message


@pytest.mark.parametrize(
    "make",
    [
        lambda: Drift(0.005, 500.0, 10),
        lambda: Energy(300.0, 10.0, 0.1, total=True, stride=1),
        lambda: Temperature(300.0, 5.0, 3, 1),
    ],
)
def test_what_a_check_remembers_goes_on_from_its_state(make):
    whole, first, second = begun(make()), begun(make()), make()
    for step in range(0, 300, 10):
        assert whole.look(frame(step=step, energy=1e-4 * step, kinetic=0.1)) is None
        if step < 150:
            first.look(frame(step=step, energy=1e-4 * step, kinetic=0.1))
    second.begin(frame())
    second.restore(first.state())
    for step in range(150, 300, 10):
        second.look(frame(step=step, energy=1e-4 * step, kinetic=0.1))
    assert second.figures() == whole.figures()
