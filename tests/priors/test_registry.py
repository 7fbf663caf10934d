from __future__ import annotations

import pickle

import pytest
from ase.calculators.emt import EMT

from farfield.errors import ConfigError, ModelError
from farfield.priors import FORMS, CalculatorPrior, LennardJonesPrior, compute, load_prior


def test_a_prior_is_returned_as_it_is():
    prior = LennardJonesPrior()
    assert load_prior(prior) is prior


def test_an_unknown_name_gets_a_suggestion():
    with pytest.raises(ConfigError, match=r"'gnf2'; did you mean 'gfn2'\?"):
        load_prior("gnf2")


def test_a_calculator_class_of_a_module_is_wrapped():
    prior = load_prior("ase.calculators.emt:EMT")
    assert isinstance(prior, CalculatorPrior)
    assert prior.name == "emt"
    assert prior.level_of_theory.startswith("ase.calculators.emt:EMT (ase 3.")
    assert isinstance(prior.calculator(), EMT)


def test_a_calculator_class_of_a_file_is_wrapped(named, chain):
    prior = load_prior(named("Spring"))
    assert prior.name == "spring"
    assert prior.level_of_theory.startswith("calculators.py:Spring (sha256 ")
    assert compute(prior, chain(3)[2]).energy == pytest.approx(0.1**2)


def test_the_level_of_theory_of_a_file_follows_its_content(tmp_path):
    file = tmp_path / "mine.py"
    file.write_text("from ase.calculators.emt import EMT\n")
    first = load_prior(f"{file}:EMT")
    file.write_text("from ase.calculators.emt import EMT\n# changed\n")
    second = load_prior(f"{file}:EMT")
    assert first.level_of_theory != second.level_of_theory


@pytest.mark.parametrize("name", ["SpringPrior", "READY", "Spring"])
def test_what_stands_in_a_file_survives_pickling(named, name, chain):
    prior = load_prior(named(name))
    copy = pickle.loads(pickle.dumps(prior))
    assert copy.level_of_theory == prior.level_of_theory
    assert compute(copy, chain(2)[1]).energy == compute(prior, chain(2)[1]).energy


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("nowhere.py:Spring", "no file nowhere.py"),
        ("no_such_module:Spring", "cannot import no_such_module"),
        ("ase.calculators.emt:ENT", "did you mean 'EMT'"),
        ("ase.calculators.emt:", "not of the form"),
        (":EMT", "not of the form"),
    ],
)
def test_what_cannot_be_found_is_named(spec, message):
    with pytest.raises(ConfigError, match=message):
        load_prior(spec)


def test_a_file_that_cannot_run_is_named(tmp_path):
    file = tmp_path / "broken.py"
    file.write_text("import no_such_module\n")
    with pytest.raises(ConfigError, match=r"cannot run .*broken\.py .*no_such_module"):
        load_prior(f"{file}:Spring")


def test_what_is_no_prior_is_refused(named):
    with pytest.raises(ConfigError, match="is a int"):
        load_prior(named("NUMBER"))


def test_a_calculator_that_needs_arguments_is_refused_when_made(named):
    with pytest.raises(ConfigError, match="callable without arguments"):
        load_prior(named("NeedsArguments")).calculator()


def test_what_makes_no_calculator_is_refused_when_made():
    prior = CalculatorPrior(dict, name="dict", level_of_theory="none")
    with pytest.raises(ConfigError, match="made a dict"):
        prior.calculator()


@pytest.mark.parametrize("name", ["", "Two Words", "a-b", "ä"])
def test_a_name_must_fit_into_keys(name):
    with pytest.raises(ConfigError, match="lower-case"):
        CalculatorPrior(EMT, name=name, level_of_theory="EMT")


def test_the_level_of_theory_of_lennard_jones_holds_its_parameters():
    levels = {
        LennardJonesPrior(*parameters).level_of_theory
        for parameters in ((1.0, 0.1, 5.0), (1.1, 0.1, 5.0), (1.0, 0.2, 5.0), (1.0, 0.1, 6.0))
    }
    assert len(levels) == 4


@pytest.mark.parametrize("parameters", [(0.0, 0.1, 5.0), (1.0, -0.1, 5.0), (2.0, 0.1, 1.0)])
def test_impossible_lennard_jones_parameters_are_refused(parameters):
    with pytest.raises(ConfigError, match="must be positive"):
        LennardJonesPrior(*parameters)


@pytest.mark.parametrize("form", FORMS)
def test_every_form_of_a_name_leads_somewhere(form, tmp_path):
    examples = {
        "d3-FUNCTIONAL": "d3-pbe",
        "d4-FUNCTIONAL": "d4-pbe",
        "noise-RMS": "noise-0.5",
        "sgdml:FILE": f"sgdml:{tmp_path / 'none.npz'}",
        "model:MODEL": "model:emt",
        "PRIOR+PRIOR": "morse+zbl",
        "module:Name": "ase.calculators.emt:EMT",
    }
    if form == "sgdml:FILE":
        with pytest.raises(ModelError, match="there is no sGDML model"):
            load_prior(examples[form])
    else:
        assert load_prior(examples[form]).name


@pytest.mark.parametrize(
    ("spec", "suggestion"), [("zlb", "zbl"), ("mmff", "mmff94"), ("gfn-ff", "gfnff")]
)
def test_a_new_name_is_suggested_too(spec, suggestion):
    with pytest.raises(ConfigError, match=f"did you mean '{suggestion}'"):
        load_prior(spec)
