from __future__ import annotations

import os
import subprocess
import sys

import numpy as np
import pytest
from ase.calculators.emt import EMT
from ase.constraints import FixAtoms

from farfield.errors import ConfigError, LabelError
from farfield.priors import CalculatorPrior, Failure, LabelCache, label, label_counted, load_prior
from farfield.priors.pool import DIED
from farfield.priors.progress import progress_bar


def energies(outcomes):
    return [outcome.energy for outcome in outcomes]


@pytest.mark.parametrize("workers", [1, 2])
def test_every_structure_gets_its_own_labels_in_order(named, chain, workers):
    outcomes = label(chain(5), load_prior(named("Spring")), workers=workers)
    assert energies(outcomes) == pytest.approx([(0.05 * index) ** 2 for index in range(5)])
    assert all(outcome.forces.shape == (2, 3) for outcome in outcomes)


def test_one_process_and_several_give_the_same_to_the_bit(chain):
    for atoms in (structures := chain(4)):
        atoms.rattle(0.05, seed=1)
    one, two = (label(structures, load_prior("emt"), workers=workers) for workers in (1, 2))
    assert energies(one) == energies(two)
    assert all((a.forces == b.forces).all() for a, b in zip(one, two, strict=True))


@pytest.mark.parametrize("workers", [1, 2])
def test_failures_are_recorded_and_the_run_goes_on(named, chain, workers, tmp_path):
    structures = chain(25)[18:]  # bonds of 1.9, 1.95, 2.0, 2.05, ... Å
    with LabelCache(tmp_path) as cache:
        outcomes = label(structures, load_prior(named("Failing")), workers=workers, cache=cache)
    failed = [isinstance(outcome, Failure) for outcome in outcomes]
    assert failed == [False] * 3 + [True] * 4
    assert outcomes[-1].reason == "RuntimeError: too long"


def test_failures_are_computed_again_only_on_demand(named, chain, log, tmp_path):
    structures = chain(22)[20:]
    prior = load_prior(named("Failing"))
    with LabelCache(tmp_path) as cache:
        for retry, computed in ((False, 2), (False, 0), (True, 1)):
            counted = label_counted(structures, prior, cache=cache, retry_failures=retry)
            assert counted.n_computed == computed
    assert log() == ["2.000000", "2.050000", "2.050000"]


def test_duplicates_are_computed_once(named, chain, log):
    structures = [*chain(3), *chain(3)]
    counted = label_counted(structures, load_prior(named("Spring")))
    assert counted.n_computed == 3
    assert energies(counted.outcomes[:3]) == energies(counted.outcomes[3:])
    assert len(log()) == 3


def test_a_second_run_computes_only_what_is_new(named, chain, log, tmp_path):
    prior = load_prior(named("Spring"))
    with LabelCache(tmp_path) as cache:
        assert label_counted(chain(3), prior, cache=cache).n_computed == 3
        counted = label_counted(chain(5), prior, cache=cache)
    assert counted.n_computed == 2
    assert energies(counted.outcomes) == pytest.approx([(0.05 * i) ** 2 for i in range(5)])
    assert log() == [f"{1 + 0.05 * index:.6f}" for index in range(5)]


def test_structures_are_not_changed_and_constraints_do_not_hide_forces(chain):
    atoms = chain(3)[2]
    atoms.set_constraint(FixAtoms([0, 1]))
    atoms.info["REF_energy"] = 1.0
    before = atoms.copy()
    (labels,) = label([atoms], load_prior("lj"))
    assert np.abs(labels.forces).max() > 0.01
    assert atoms == before
    assert atoms.info == before.info
    assert atoms.calc is None


def test_a_dying_worker_costs_the_culprit_alone(named, chain, log, tmp_path):
    structures = chain(35)[25:]
    culprit = 5  # a bond of 2.5 Å
    with LabelCache(tmp_path) as cache:
        outcomes = label(structures, load_prior(named("Deadly")), workers=2, cache=cache)
        assert outcomes[culprit] == Failure(DIED)
        others = outcomes[:culprit] + outcomes[culprit + 1 :]
        assert not any(isinstance(outcome, Failure) for outcome in others)
        assert len(cache) == len(structures)
    assert log().count("2.500000") == 2  # once in company, once alone


def test_workers_run_one_thread_and_the_parents_setting_is_left_alone(named, chain, monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "7")
    monkeypatch.delenv("MKL_NUM_THREADS", raising=False)
    outcomes = label(chain(2), load_prior(named("Threads")), workers=2)
    assert energies(outcomes) == [1.0, 1.0]
    assert os.environ["OMP_NUM_THREADS"] == "7"
    assert "MKL_NUM_THREADS" not in os.environ


def test_a_prior_that_cannot_travel_is_refused_for_several_workers(chain):
    prior = CalculatorPrior(lambda: EMT(), name="emt2", level_of_theory="EMT")
    with pytest.raises(LabelError, match="cannot be sent to worker processes"):
        label(chain(3), prior, workers=2)
    assert len(label(chain(3), prior)) == 3


def test_a_script_without_main_guard_is_told_so(tmp_path):
    script = tmp_path / "script.py"
    script.write_text(
        "from ase.build import molecule\n"
        "from farfield.priors import label, load_prior\n"
        "label([molecule('H2'), molecule('H2O')], load_prior('emt'), workers=2)\n"
    )
    done = subprocess.run(
        [sys.executable, script], capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 1
    assert "LabelError: the worker processes could not start" in done.stderr


def test_no_worker_is_no_choice(chain):
    with pytest.raises(ConfigError, match="at least 1"):
        label(chain(1), load_prior("emt"), workers=0)


def test_nothing_to_label_is_nothing(named):
    assert label([], load_prior(named("NeedsArguments"))) == []


def test_the_progress_bar_is_for_terminals(capsys):
    for show in (None, True):
        with progress_bar("labels", 2, show) as advance:
            advance()
            advance()
        captured = capsys.readouterr()
        assert captured.out == ""
        assert ("2/2" in captured.err) == bool(show)
