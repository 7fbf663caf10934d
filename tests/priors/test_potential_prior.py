from __future__ import annotations

import pickle
import subprocess
import sys

import numpy as np
import pytest
import torch
from ase.build import molecule
from ase.calculators.emt import EMT
from ase.calculators.lj import LennardJones

from farfield.errors import ConfigError, ModelError
from farfield.potentials import BlackBoxPotential, fingerprint
from farfield.potentials.loading import load_potential
from farfield.priors import compute, load_prior
from farfield.priors.potential import PotentialPrior, name_of
from farfield.testing import check_prior


@pytest.fixture
def given():
    found = [molecule(name) for name in ("CH3OH", "H2O")]
    for seed, atoms in enumerate(found):
        atoms.rattle(0.05, seed=seed)
    return found


@pytest.fixture(scope="module")
def teacher():
    pytest.importorskip("mace", reason="the embedded model needs mace-torch")
    return load_prior("model:embedded")


@pytest.fixture(scope="module")
def potential(teacher):
    return load_potential("embedded")[0]


def test_a_model_keeps_the_contract_and_gives_its_own_predictions(teacher, potential, given):
    check_prior(teacher, given[:1])
    prediction = potential.predict(given)[0]
    labels = compute(teacher, given[0])
    assert labels.energy == pytest.approx(prediction.energy, abs=1e-9)
    np.testing.assert_allclose(labels.forces, prediction.forces, atol=1e-9)
    assert teacher.elements == potential.species


def test_the_level_of_theory_tells_models_and_heads_apart(teacher, potential):
    assert fingerprint(potential) in teacher.level_of_theory
    same = PotentialPrior(potential, name="same")
    assert same.level_of_theory == teacher.level_of_theory
    head = PotentialPrior(potential, name="head", head=potential.heads[1])
    other = potential.clone()
    with torch.no_grad():
        next(iter(other.representation_parameters().values())).add_(1e-6)
    changed = PotentialPrior(other, name="changed")
    levels = {prior.level_of_theory for prior in (teacher, head, changed)}
    assert len(levels) == 3
    with pytest.raises(ModelError, match="has no head"):
        PotentialPrior(potential, name="head", head="nothing")


def test_a_refined_model_is_refused_because_its_rule_would_be_lost(potential, tmp_path):
    potential.save(tmp_path / "refined.pt", {"kind": "radius"})
    with pytest.raises(ConfigError, match="carries a refinement rule"):
        load_prior(f"model:{tmp_path / 'refined.pt'}")


def test_a_model_that_changes_is_noticed_by_worker_processes(tmp_path):
    file = tmp_path / "mine.py"
    file.write_text("from ase.calculators.emt import EMT\n")
    prior = load_prior(f"model:{file}:EMT")
    packed = pickle.dumps(prior)
    assert len(packed) < 2000  # what names the model, not the model
    assert pickle.loads(packed).level_of_theory == prior.level_of_theory
    file.write_text("from ase.calculators.emt import EMT\n# changed\n")
    with pytest.raises(ModelError, match="has changed since the prior"):
        pickle.loads(packed)


@pytest.mark.parametrize(
    ("source", "name"),
    [
        ("mace-mp-small", "mace_mp_small"),
        ("folder/Large Model.v2.pt", "large_model_v2"),
        ("some.module:TheirCalculator", "theircalculator"),
        ("folder/file.py:Theirs", "theirs"),
    ],
)
def test_its_name_is_made_of_what_names_the_model(source, name):
    assert name_of(source) == name


def test_a_potential_object_needs_a_name(potential):
    with pytest.raises(ConfigError, match="needs a name"):
        PotentialPrior(potential)


def test_black_boxes_are_told_apart_by_where_they_come_from(named, chain):
    prior = load_prior(f"model:{named('Spring')}")
    assert prior.name == "spring"
    assert "calculators.py:Spring (sha256 " in prior.level_of_theory
    assert compute(prior, chain(3)[2]).energy == pytest.approx(0.1**2)
    assert "ase.calculators.emt:EMT (ase 3." in load_prior("model:emt").level_of_theory
    for calculator in (EMT(), LennardJones(sigma=2.0)):
        with pytest.raises(ConfigError, match="make a CalculatorPrior of it"):
            PotentialPrior(BlackBoxPotential(calculator), name="box")


def test_calculators_of_one_prior_do_not_share_results(given):
    prior = load_prior("model:emt")
    first, second = prior.calculator(), prior.calculator()
    assert first is not second
    expected = [compute(prior, atoms).energy for atoms in given]
    assert [compute(prior, atoms, first).energy for atoms in given] == expected
    assert compute(prior, given[0], second).energy == expected[0]


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("model:embeded", "did you mean 'embedded'"),
        ("model:", "no model is called"),
        ("model:nowhere.py:Spring", "no file nowhere.py"),
    ],
)
def test_what_cannot_be_found_is_named(spec, message):
    with pytest.raises((ModelError, ConfigError), match=message):
        load_prior(spec)


def test_a_name_must_fit_into_keys():
    with pytest.raises(ConfigError, match="lower-case"):
        PotentialPrior("emt", name="Large Model")


def test_importing_the_priors_does_not_import_torch():
    code = "import sys, farfield.priors; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False, timeout=120).returncode == 0
