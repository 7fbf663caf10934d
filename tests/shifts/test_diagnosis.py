"""The diagnosis: verdicts in words, axes that are not scored, labels that are not read."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from ase import Atoms
from ase.build import molecule
from ase.calculators.calculator import Calculator, all_changes
from ase.calculators.emt import EMT

from farfield.errors import ModelError, ProfileError
from farfield.potentials import BlackBoxPotential
from farfield.priors import Failure
from farfield.shifts import DEFAULT, Diagnosis, diagnose, force_source, observe
from farfield.shifts.axes.force_norm import ForceNorm
from farfield.shifts.profile import fit
from farfield.structures import Labels, attach, without_labels
from tests.shifts.made import CUTOFF, HEADER, fitted, rattled, seen

PROFILE = fitted(120)


def of(*structures: Atoms, **options: bool) -> Diagnosis:
    return diagnose(structures, [seen(atoms, **options) for atoms in structures], PROFILE)


def test_what_a_diagnosis_holds() -> None:
    atoms = molecule("CH3Cl")
    atoms.info |= {"farfield_file": "test.xyz", "farfield_index": 4}
    diagnosis = of(atoms, molecule("CH3OH"))
    found, other = diagnosis.structures
    assert (found.file, found.index, found.formula, found.n_atoms) == ("test.xyz", 4, "CH3Cl", 5)
    assert (other.file, other.index, other.n_atoms) == ("", 0, 6)
    assert diagnosis.not_scored == {}
    assert set(found.scores) == set(found.quantiles) == set(found.reasons) == set(DEFAULT)
    assert all(quantiles.shape == (5,) for quantiles in found.atom_quantiles.values())
    assert found.quantiles[found.axis] == max(found.quantiles.values())
    for axis, score in found.scores.items():
        assert score == PROFILE.score(axis, seen(atoms)).structure
    assert found.quantile == PROFILE.combined_quantile(found.quantiles)
    assert (found.not_scored, found.error) == ({}, None)


def test_sentences() -> None:
    outside, inside = of(molecule("CH3Cl"), rattled(1, seed=501, names=["CH3OH"])[0]).structures
    assert (outside.verdict, outside.axis, outside.quantile) == ("outside", "elements", 1.0)
    assert outside.sentence == (
        "Outside the training domain along elements and element pairs, farther than all held-out "
        "structures, because Cl is in no training structure."
    )
    assert inside.verdict == "inside"
    assert inside.sentence.startswith("Inside the training domain; farthest along ")
    assert inside.sentence.endswith(f": {inside.reasons[inside.axis]}.")


@pytest.mark.parametrize(
    ("place", "verdict", "words"),
    [
        (
            995,
            "edge",
            "At the edge of the training domain along force norm, farther than 99.0 % of",
        ),
        (996, "outside", "Outside the training domain along force norm, farther than 99.1 % of"),
        (949, "inside", "Inside the training domain; farthest along force norm: "),
        (
            956,
            "edge",
            "At the edge of the training domain along force norm, farther than 95.1 % of",
        ),
    ],
)
def test_verdicts_at_their_limits(place: int, verdict: str, words: str) -> None:
    """A null of 0, 1, ... 999 eV/Å; the combined one lies five places higher."""
    combined = np.clip(np.arange(1000.0) + 5, 0, None) / 1000
    axis = replace(PROFILE.axes["force_norm"], null=np.arange(1000.0), held_out=combined)
    profile = replace(PROFILE, axes={"force_norm": axis})
    observation = replace(seen(molecule("H2O")), forces=np.full((3, 3), (place - 0.5) / 3**0.5))
    (found,) = diagnose([molecule("H2O")], [observation], profile).structures
    assert found.quantiles == {"force_norm": place / 1000}
    assert found.verdict == verdict
    assert found.sentence.startswith(words)
    assert "mean force" in found.sentence


def test_not_quite_all_is_never_a_hundred_per_cent() -> None:
    combined = np.linspace(0.0, 1.0, 5001)
    axes = {name: replace(axis, held_out=combined) for name, axis in PROFILE.axes.items()}
    profile = replace(PROFILE, axes=axes)
    observation = seen(molecule("CH3Cl"))
    (found,) = diagnose([molecule("CH3Cl")], [observation], profile).structures
    assert 0.9995 < found.quantile < 1.0
    assert "farther than 99.9 % of the held-out structures" in found.sentence


def test_axes_that_cannot_be_scored_have_a_reason_and_no_number() -> None:
    bare = {"forces": False, "features": False, "residual": False}
    diagnosis = of(molecule("CH3OH"), molecule("C2H6"), **bare)
    assert set(diagnosis.not_scored) == {"force_norm", "representation", "prior_residual"}
    assert diagnosis.partly_scored == {}
    assert diagnosis.not_scored["prior_residual"].startswith("no prior residual: give a prior")
    assert diagnosis.not_scored["force_norm"].startswith("no proxy forces: give a model")
    assert diagnosis.not_scored["representation"].startswith("no node features: ")
    for found in diagnosis.structures:
        for table in (found.scores, found.quantiles, found.reasons, found.atom_quantiles):
            assert set(table) == {"elements", "connectivity"}


def test_a_structure_on_which_the_prior_failed_has_no_score_there_and_says_why() -> None:
    structures = [molecule("CH3OH"), molecule("C2H6"), molecule("CH4")]
    observations = [seen(atoms) for atoms in structures]
    whole = diagnose(structures, observations, PROFILE)
    failure = "the SCF did not converge"
    observations[1] = replace(observations[1], residual=None, prior_failure=failure)
    diagnosis = diagnose(structures, observations, PROFILE)
    assert diagnosis.not_scored == {}
    told = f"no labels of the prior ({failure})"
    assert diagnosis.partly_scored == {"prior_residual": f"1 of 3 structures have {told}"}
    first, lacking, last = diagnosis.structures
    for found, before in ((first, whole.structures[0]), (last, whole.structures[2])):
        assert (found.scores, found.quantile) == (before.scores, before.quantile)
    assert lacking.not_scored == {"prior_residual": told}
    for table in (lacking.scores, lacking.quantiles, lacking.reasons, lacking.atom_quantiles):
        assert set(table) == set(DEFAULT) - {"prior_residual"}
    assert lacking.quantile == PROFILE.combined_quantile(lacking.quantiles)


def test_an_axis_that_the_profile_lacks_is_not_scored() -> None:
    bare = fitted(12, forces=False)
    atoms = molecule("CH3OH")
    assert diagnose([atoms], [seen(atoms)], bare).not_scored == {
        "force_norm": "the profile was made without it"
    }


def test_labels_are_never_read() -> None:
    """Training and test set with labels, with labels of NaN, and without any: all the same."""
    potential = BlackBoxPotential(EMT(), cutoff=CUTOFF)
    results = []
    for value in (None, 1.0, np.nan):
        sets = []
        for structures in (rattled(12, seed=1), rattled(3, seed=2, width=0.2)):
            for atoms in structures:
                if value is not None:
                    attach(atoms, Labels(value, np.full((len(atoms), 3), value)))
            sets.append(structures)
        for train, test in (sets, [without_labels(structures) for structures in sets]):
            profile = fit(observe(train, potential=potential), seed=0, header=HEADER)
            diagnosis = diagnose(test, observe(test, potential=potential), profile)
            arrays = []
            for axis in profile.axes.values():
                arrays += [axis.null.tobytes(), axis.atom_null.tobytes(), axis.held_out.tobytes()]
                arrays += [array.tobytes() for array in axis.state.values()]
            assert "force_norm" in profile.axes
            told = [
                (found.scores, found.quantile, found.sentence) for found in diagnosis.structures
            ]
            results.append((arrays, told))
    assert all(result == results[0] for result in results)


class Spoilt(Calculator):
    """Forces that are not numbers."""

    implemented_properties = ("energy", "forces")

    def calculate(self, atoms=None, properties=None, system_changes=all_changes) -> None:
        super().calculate(atoms, properties, system_changes)
        forces = np.zeros((len(self.atoms), 3))
        forces[-1, 0] = np.nan
        self.results = {"energy": 0.0, "forces": forces}


def test_a_model_that_predicts_no_number_is_named() -> None:
    with pytest.raises(ModelError, match=r"structure H2O: Spoilt .* predicts forces .* at atom 2"):
        observe([molecule("H2O")], potential=BlackBoxPotential(Spoilt(), cutoff=4.0))


def test_observing() -> None:
    atoms = molecule("H2O")
    black_box = BlackBoxPotential(EMT())
    with pytest.raises(ProfileError, match="give --cutoff"):
        observe([atoms], potential=black_box)
    (by_model,) = observe([atoms], potential=black_box, cutoff=1.2)
    assert (by_model.graph.n_edges, by_model.features) == (4, None)
    assert np.array_equal(by_model.forces, black_box.predict([atoms])[0].forces)
    labels = [Labels(0.0, np.ones((3, 3))), Failure("the SCF did not converge")]
    first, second = observe([atoms, atoms], cutoff=1.2, prior_labels=labels)
    assert first.forces.tolist() == np.ones((3, 3)).tolist()
    assert (first.prior_failure, second.prior_failure) == (None, "the SCF did not converge")
    assert second.forces is None
    assert ForceNorm().missing(second) == "no labels of the prior (the SCF did not converge)"
    assert observe([atoms], cutoff=1.2)[0].forces is None
    assert force_source(black_box, None) == "the model's own forces (EMT (ASE calculator))"
    assert force_source(None, None) is None
