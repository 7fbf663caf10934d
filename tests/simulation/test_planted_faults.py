"""A fault planted in a run is caught by the right check at the right step, and alone fails."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from ase import units
from ase.io import read

from farfield import simulate
from farfield.errors import ModelError
from tests.simulation.made import BAD, START, Planted, springs

STEPS = 300
FAULT = 100  # the step from which it does


def run(tmp_path, potential, starts=START, **settings):
    settings = {"duration": STEPS * 0.5e-3, "replicas": 3, "stride": 1, **settings}
    return simulate(starts, model=potential, output=tmp_path / "run", progress=False, **settings)


def only(done):
    """The failure, after a look at the others: they reached the end."""
    failures = [outcome.failure for outcome in done.outcomes]
    assert [failure is None for failure in failures] == [True, False, True]
    assert done.outcomes[0].steps == done.outcomes[2].steps == STEPS
    assert done.record["share_alive"] == pytest.approx(2 / 3)
    assert done.record["failures"] == {failures[BAD].check: 1}
    failed = done.outcomes[BAD]
    assert not failed.completed
    assert failed.steps == failures[BAD].step - 1
    return failures[BAD]


def frames(done, name="trajectory.extxyz"):
    return read(done.folder / f"simulation_000{BAD}" / name, index=":")


@pytest.mark.parametrize("ensemble", ["nve", "nvt"])
def test_a_healthy_run_raises_nothing(tmp_path, ensemble):
    potential = Planted()
    done = run(tmp_path, potential, ensemble=ensemble)
    assert [outcome.failure for outcome in done.outcomes] == [None] * 3
    assert [outcome.alarms for outcome in done.outcomes] == [[]] * 3
    assert done.record["median_lifetime_ps"] is None
    assert set(potential.sizes) == {3}  # one batch
    assert len(potential.sizes) == STEPS + 1
    assert len(frames(done)) == STEPS + 1
    assert not (done.folder / "simulation_0001" / "failure.extxyz").exists()


def test_a_force_that_is_not_a_number(tmp_path):
    def fault(step, place, atoms, found):
        if (step, place) == (FAULT, BAD):
            found.forces[2, 0] = np.nan
        return found

    potential = Planted(fault)
    done = run(tmp_path, potential)
    failure = only(done)
    assert (failure.check, failure.step, failure.atoms) == ("not_a_number", FAULT, [2])
    assert failure.time_fs == pytest.approx(50.0)
    assert potential.sizes == [3] * (FAULT + 1) + [2] * (STEPS - FAULT)
    whole = frames(done)
    assert [frame.info["farfield_step"] for frame in whole] == list(range(FAULT))
    before, after = frames(done, "failure.extxyz")
    assert before.info["farfield_step"] == FAULT - 1
    assert np.array_equal(before.positions, whole[-1].positions)
    assert np.isnan(after.arrays["farfield_forces"][2, 0])


def stretching(step, place, atoms, found):
    if place != BAD or step < FAULT:
        return found
    loose = springs(atoms, loose=3)
    along = atoms.positions[3] - atoms.positions[0]
    loose.forces[3] += 0.5 * along / np.linalg.norm(along)  # eV/Å
    return loose


@pytest.mark.parametrize("stride", [1, 10])
def test_a_bond_that_is_stretched_to_breaking(tmp_path, stride):
    done = run(tmp_path, Planted(stretching), checks={"stride": stride})
    failure = only(done) if stride == 1 else done.outcomes[BAD].failure
    assert (failure.check, failure.atoms) == ("bond_breaking", [0, 3])
    lengths = [atoms.get_distance(0, 3) for atoms in frames(done)]
    broken = 1.6 * (0.76 + 0.31)
    first = next((step for step, each in enumerate(lengths) if each > broken), len(lengths))
    assert FAULT < failure.step == -(-first // stride) * stride
    before, after = frames(done, "failure.extxyz")
    assert before.get_distance(0, 3) <= broken < after.get_distance(0, 3)
    assert before.info["farfield_step"] == failure.step - stride


@pytest.mark.parametrize("allowed", [True, False])
def test_reactions_can_be_allowed(tmp_path, allowed):
    checks = {"allow_reactions": allowed, "temperature_factor": 10.0}
    done = run(tmp_path, Planted(stretching), duration=0.08, checks=checks)
    assert [outcome.completed for outcome in done.outcomes] == [True, allowed, True]


def test_an_atom_that_is_flung_away(tmp_path):
    def fault(step, place, atoms, found):
        if place != BAD or step <= FAULT:
            return found
        loose = springs(atoms, loose=4)
        loose.forces[4, 1] += 2000.0 if step == FAULT + 1 else 0.0  # eV/Å
        return loose

    done = run(tmp_path, Planted(fault))
    failure = done.outcomes[BAD].failure
    assert (failure.check, failure.step, failure.atoms) == ("lost", FAULT + 10, [4])
    assert {"bond_breaking", "temperature"} <= set(failure.also)
    assert [outcome.completed for outcome in done.outcomes] == [True, False, True]


def test_an_energy_that_drifts(tmp_path):
    def fault(step, place, atoms, found):
        rate = 0.02 if place == BAD else 0.0  # eV per atom and ps
        return replace(found, energy=found.energy + len(atoms) * rate * step * 0.5e-3)

    done = run(tmp_path, Planted(fault), ensemble="nve", checks={"drift_after": 100.0, "stride": 5})
    failure = done.outcomes[BAD].failure
    assert (failure.check, failure.step) == ("drift", 200)
    assert failure.value == pytest.approx(0.02, rel=0.05)
    assert [outcome.completed for outcome in done.outcomes] == [True, False, True]


def test_a_hole_in_the_energy(tmp_path):
    def fault(step, place, atoms, found):
        fallen = place == BAD and step >= FAULT
        return replace(found, energy=found.energy - 3.0) if fallen else found

    failure = run(tmp_path, Planted(fault)).outcomes[BAD].failure
    assert (failure.check, failure.step) == ("energy", FAULT)
    assert "below" in failure.message


def test_heat(tmp_path):
    """Forces along the momenta speed all atoms up; limits of the other checks are put away."""

    def fault(step, place, atoms, found):
        if place != BAD or step < FAULT:
            return found
        momenta = atoms.arrays["momenta"]
        return replace(found, energy=0.0, forces=found.forces + 3.0 * momenta)

    checks = {"allow_reactions": True, "overlap": 0.01, "energy_floor": 100.0, "stride": 1}
    checks["temperature_window"] = 1
    done = run(tmp_path, Planted(fault), checks=checks)
    failure = done.outcomes[BAD].failure
    assert failure.check == "temperature"
    temperatures = [
        2.0 * atoms.get_kinetic_energy() / (15.0 * units.kB)
        for atoms in [*frames(done), frames(done, "failure.extxyz")[1]]
    ]
    assert max(temperatures[:-1]) <= 1500.0 < temperatures[-1]
    assert len(temperatures) == failure.step + 1 > FAULT


def test_a_model_that_raises_for_one_of_a_batch_is_that_ones_cause(tmp_path):
    def fault(step, place, atoms, found):
        if atoms.info.get("charge") and step >= FAULT:
            raise ValueError("no convergence")
        return found

    charged = START.copy()
    charged.info["charge"] = 1
    potential = Planted(fault)
    starts = [START, charged, START]
    failure = only(run(tmp_path, potential, starts, replicas=1))
    assert (failure.check, failure.step) == ("model", FAULT)
    assert "ValueError: no convergence" in failure.message
    assert potential.sizes[FAULT:][:5] == [3, 1, 1, 1, 2]  # together, one by one, the others


def test_a_model_that_cannot_start_is_an_error_and_leaves_nothing(tmp_path):
    def fault(step, place, atoms, found):
        raise ModelError("unknown element")

    with pytest.raises(ModelError, match="unknown element"):
        run(tmp_path, Planted(fault))
    assert list(tmp_path.iterdir()) == []
