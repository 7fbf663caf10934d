"""Reference labels of test structures cannot reach a refinement."""

from __future__ import annotations

import numpy as np
import pytest
from ase import Atoms

from farfield.errors import LabelError
from farfield.potentials.mace import MacePotential
from farfield.refinement import (
    Correction,
    OneByOne,
    RadiusRefinement,
    Refinement,
    TestTimeSettings,
    TestTimeTraining,
    contract,
)
from farfield.shifts import Profile
from farfield.structures import Labels

from .conftest import PRIOR

SETTINGS = TestTimeSettings(steps=4, judge_every=2, batch_size=3, force=True)


def poisoned(structures: list[Atoms]) -> list[Atoms]:
    """The same structures with every label replaced by NaN."""
    copies = [atoms.copy() for atoms in structures]
    for atoms in copies:
        atoms.info["REF_energy"] = np.nan
        atoms.arrays["REF_forces"] = np.full((len(atoms), 3), np.nan)
    return copies


def weights(refinement: Refinement, model: MacePotential, structures: list[Atoms]) -> list[bytes]:
    refined = refinement.refine(model, structures).potential
    assert isinstance(refined, MacePotential)
    return [value.numpy().tobytes() for value in refined.state().values()]


def test_ttt_gives_the_same_weights_bit_for_bit_when_labels_are_nan(
    two_heads: MacePotential, train: list[Atoms], test_set: list[Atoms]
) -> None:
    training = TestTimeTraining(PRIOR, replay=train, settings=SETTINGS)
    before = [value.numpy().tobytes() for value in two_heads.state().values()]
    clean = weights(training, two_heads, test_set)
    assert clean == weights(training, two_heads, poisoned(test_set))
    assert clean != before, "nothing moved, so this test shows nothing"


def test_radius_rule_is_the_same_when_labels_are_nan(
    two_heads: MacePotential, profile: Profile, test_set: list[Atoms]
) -> None:
    refinement = RadiusRefinement(profile, criterion="density", margin=0.0)
    clean = refinement.refine(two_heads, test_set)
    dirty = refinement.refine(two_heads, poisoned(test_set))
    assert clean.record.acted
    assert clean.record.figures == dirty.record.figures


def test_a_test_structure_among_the_replayed_is_an_error(
    two_heads: MacePotential, train: list[Atoms], test_set: list[Atoms]
) -> None:
    known = [*train, test_set[3]]
    for method in (
        TestTimeTraining(PRIOR, replay=known, settings=SETTINGS),
        TestTimeTraining(PRIOR, settings=TestTimeSettings(steps=2), checked_on=known),
        OneByOne(TestTimeTraining(PRIOR, settings=TestTimeSettings(steps=2), checked_on=known)),
        Correction(PRIOR, like_training=train, checked_on=known),
        RadiusRefinement(prior=PRIOR, checked_on=known),
    ):
        with pytest.raises(LabelError, match="would leak"):
            method.refine(two_heads, test_set)


def test_a_refinement_never_sees_a_label(two_heads: MacePotential, test_set: list[Atoms]) -> None:
    seen: list[Atoms] = []

    class Spy(Refinement):
        name = "spy"

        def _refine(self, potential: object, structures: list[Atoms]) -> contract.Refined:
            seen.extend(structures)
            return contract.Refined(two_heads, contract.Record("spy", False, []))

    Spy().refine(two_heads, test_set)
    assert len(seen) == len(test_set)
    for atoms in seen:
        assert atoms.calc is None
        assert set(atoms.arrays) == {"numbers", "positions"}
        assert not any("energy" in key or "REF" in key for key in atoms.info)


def test_the_leak_test_can_fail(
    two_heads: MacePotential, test_set: list[Atoms], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Planted leak: labels are not stripped, and the prior returns them as its own."""
    monkeypatch.setattr(contract, "without_labels", lambda structures: list(structures))

    def leaked(structures: list[Atoms], *_: object, **__: object) -> list[Labels]:
        return [Labels(0.0, atoms.arrays["REF_forces"]) for atoms in structures]

    monkeypatch.setattr("farfield.refinement.adaptation.test_time_training.label", leaked)
    training = TestTimeTraining(PRIOR, settings=SETTINGS)
    clean = weights(training, two_heads, test_set)
    assert clean != weights(training, two_heads, poisoned(test_set))
