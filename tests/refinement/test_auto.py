"""The choice of a method: the first that acts, with the reasons for all."""

from __future__ import annotations

from typing import final

import pytest
from ase import Atoms

from farfield.errors import CapabilityError, LabelError
from farfield.potentials import Potential
from farfield.potentials.mace import MacePotential
from farfield.refinement import Correction, CorrectionRule, Record, Refined, Refinement
from farfield.refinement.auto import Auto
from tests.refinement.conftest import PRIOR


@final
class Planned(Refinement):
    """Acts, abstains or fails as it is told."""

    def __init__(self, name: str, acts: bool, error: Exception | None = None) -> None:
        self.name = name
        self.called = False
        self._acts = acts
        self._error = error

    def _refine(self, potential: Potential, structures: list[Atoms]) -> Refined:
        self.called = True
        if self._error:
            raise self._error
        return Refined(potential, Record(self.name, self._acts, [f"{self.name} said so"]))


def test_the_first_that_acts_is_kept(two_heads: MacePotential, test_set: list[Atoms]) -> None:
    methods = [
        Planned("one", acts=True, error=CapabilityError("no head")),
        Planned("two", acts=False),
        Planned("three", acts=True),
        Planned("four", acts=True),
    ]
    record = Auto(methods, {"five": "it needs more"}).refine(two_heads, test_set).record
    assert (record.method, record.acted) == ("auto", True)
    assert record.settings["chosen"] == "three"
    told = "; ".join(record.reasons)
    for part in ("five was no candidate: it needs more", "no head", "two said so", "four"):
        assert part in told
    assert [method.called for method in methods] == [True, True, True, False]


def test_nothing_acts(two_heads: MacePotential, test_set: list[Atoms]) -> None:
    refined = Auto([Planned("one", acts=False)]).refine(two_heads, test_set)
    assert refined.potential is two_heads
    assert not refined.record.acted
    assert not Auto([]).refine(two_heads, test_set).record.acted


def test_wrong_input_is_not_passed_over(two_heads: MacePotential, test_set: list[Atoms]) -> None:
    with pytest.raises(LabelError, match="leak"):
        Auto([Planned("one", acts=True, error=LabelError("leak"))]).refine(two_heads, test_set)


def test_with_a_real_method(two_heads: MacePotential, test_set: list[Atoms]) -> None:
    rule = CorrectionRule(PRIOR.name, PRIOR.name, 0.5, 0.0, 1.0, "given", trusted=None)
    refined = Auto([Correction(PRIOR, rule)]).refine(two_heads, test_set)
    assert refined.record.acted
    assert "β, mean" in refined.record.figures
