"""Radius refinement: the paper's criterion, one radius per system, and when nothing changes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from ase import Atoms
from ase.calculators.emt import EMT

from farfield.errors import CapabilityError, ProfileError
from farfield.graphs import padded_distance, spectrum
from farfield.potentials import BlackBoxPotential
from farfield.potentials.mace import MacePotential
from farfield.refinement import RadiusRefined, RadiusRefinement, RadiusRule, load_model
from farfield.shifts import Profile

from .conftest import rattled


def rule_of(two_heads: MacePotential, profile: Profile, margin: float = 0.0) -> RadiusRule:
    mean = profile.axes["connectivity"].state["mean_spectrum"]
    radii = tuple(np.linspace(0.5, 0.95, 10) * two_heads.cutoff)
    return RadiusRule("truncate", radii, two_heads.cutoff, tuple(mean.tolist()), margin)


def test_the_rule_takes_the_nearest_spectrum(
    two_heads: MacePotential, profile: Profile, test_set: list[Atoms]
) -> None:
    rule = rule_of(two_heads, profile)
    graph = two_heads.graph(test_set[0])
    mean = np.array(rule.mean_spectrum)
    distances = {
        radius: padded_distance(spectrum(graph.within(radius)), mean)
        for radius in (*rule.radii, rule.training_radius)
    }
    assert rule.choose(graph) == min(distances, key=lambda radius: distances[radius])


def test_the_training_radius_wins_unless_beaten_by_the_margin(
    two_heads: MacePotential, profile: Profile, test_set: list[Atoms]
) -> None:
    graph = two_heads.graph(test_set[0])
    assert rule_of(two_heads, profile).choose(graph) < two_heads.cutoff
    assert rule_of(two_heads, profile, margin=1.0).choose(graph) == two_heads.cutoff


def test_predictions_are_those_of_the_model_at_the_chosen_radius(
    two_heads: MacePotential, profile: Profile, test_set: list[Atoms], train: list[Atoms]
) -> None:
    refined = RadiusRefined(two_heads, rule_of(two_heads, profile))
    mixed = [test_set[0], train[0], test_set[1]]
    for atoms, found in zip(mixed, refined.predict(mixed), strict=True):
        radius = refined.radius(atoms)
        model = (
            two_heads if radius == two_heads.cutoff else two_heads.with_cutoff(radius, "truncate")
        )
        expected = model.predict([atoms])[0]
        assert found.energy == pytest.approx(expected.energy, abs=1e-9)
        np.testing.assert_allclose(found.forces, expected.forces, atol=1e-9)


def test_a_trajectory_has_one_radius(
    two_heads: MacePotential, profile: Profile, test_set: list[Atoms]
) -> None:
    refined = RadiusRefined(two_heads, rule_of(two_heads, profile))
    calculator = refined.calculator()
    radius = refined.radius(test_set[0])
    model = refined.at(radius)
    for atoms in test_set[:4]:
        copy = atoms.copy()
        copy.calc = calculator
        assert copy.get_potential_energy() == pytest.approx(
            model.predict([atoms])[0].energy, abs=1e-9
        )


def test_no_change_is_said_and_the_model_comes_back(
    two_heads: MacePotential, profile: Profile
) -> None:
    refined = RadiusRefinement(profile, margin=1.0).refine(two_heads, rattled("CH3OH", 3))
    assert refined.potential is two_heads
    assert not refined.record.acted
    assert "the training radius stays" in refined.record.reasons[0]


def test_the_file_keeps_the_rule(
    two_heads: MacePotential, profile: Profile, test_set: list[Atoms], tmp_path: Path
) -> None:
    refined = RadiusRefined(two_heads, rule_of(two_heads, profile))
    refined.save(tmp_path / "model")
    loaded = load_model(str(tmp_path / "model"))
    assert isinstance(loaded, RadiusRefined) and loaded.rule == refined.rule
    first, second = refined.predict(test_set), loaded.predict(test_set)
    assert all(a.energy == b.energy for a, b in zip(first, second, strict=True))


def test_truncation_makes_the_energy_jump_and_the_jump_is_measured(
    two_heads: MacePotential,
) -> None:
    """The known weakness of this mode, so that nobody takes it for smooth."""
    cut = two_heads.with_cutoff(3.0, "truncate")
    pair = Atoms("CO", [(0, 0, 0), (2.9999, 0, 0)])
    energies = []
    for distance in (2.9999, 3.0001):
        pair.positions[1, 0] = distance
        energies.append([model.predict([pair])[0].energy for model in (two_heads, cut)])
    smooth, jump = np.abs(np.subtract(*energies))
    assert jump > 20 * smooth


def test_what_cannot_be_refined_is_refused(
    two_heads: MacePotential, profile: Profile, test_set: list[Atoms]
) -> None:
    with pytest.raises(CapabilityError, match="truncate"):
        RadiusRefinement(profile).refine(BlackBoxPotential(EMT(), 4.5), test_set)
    with pytest.raises(CapabilityError, match="change nothing"):
        two_heads.with_cutoff(9.0, "truncate")
    other = Profile(profile.axes, {"cutoff": 3.0})
    with pytest.raises(ProfileError, match=r"3\.0 Å"):
        RadiusRefinement(other).refine(two_heads, test_set)
