"""Radius refinement: criteria, modes, reasons to act, one radius per system or per set."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk
from ase.calculators.emt import EMT

from farfield.errors import CapabilityError, ConfigError, ProfileError
from farfield.graphs import CRITERIA, references
from farfield.potentials import BlackBoxPotential
from farfield.potentials.contract import CutoffMode
from farfield.potentials.mace import MacePotential
from farfield.priors import require
from farfield.priors.contract import Failure, compute
from farfield.refinement import (
    RadiusByComposition,
    RadiusEvidence,
    RadiusRefined,
    RadiusRefinement,
    RadiusRule,
    RadiusTable,
    gather_radius_evidence,
    load_model,
)
from farfield.refinement.radius.evidence import make_rule
from farfield.refinement.radius.refinement import EVIDENCE, MOST_OF_EACH
from farfield.refinement.radius.rule import CORRECTED, PRIOR, Per
from farfield.shifts import Profile
from farfield.structures import LeftOut, some_of_each
from farfield.verbs.export import export
from tests.potentials.conftest import ENERGIES, small_mace

from .conftest import PRIOR as EMT_PRIOR
from .conftest import rattled


@pytest.fixture(scope="module")
def two_heads() -> MacePotential:
    """As in conftest, built once: nothing here changes a model."""
    return small_mace().with_head(EMT_PRIOR.name, dict.fromkeys(ENERGIES, 0.0))


def rule_of(
    two_heads: MacePotential,
    profile: Profile,
    criterion: str = "weighted-coordination",
    mode: CutoffMode = "taper",
    margin: float = 0.0,
) -> RadiusRule:
    return make_rule(two_heads, mode, criterion, profile.references, EMT_PRIOR, margin)


def with_evidence(profile: Profile, *evidence: RadiusEvidence) -> Profile:
    header = {**profile.header, EVIDENCE: [found.to_plain() for found in evidence]}
    return replace(profile, header=header)


def found(
    gains: tuple[float, ...],
    mode: CutoffMode = "taper",
    criterion: str = "weighted-coordination",
    per: Per = "structure",
    inside: tuple[float, ...] = (0.0,),
) -> RadiusEvidence:
    return RadiusEvidence(mode, criterion, per, gains, inside)


@pytest.mark.parametrize("criterion", list(CRITERIA))
def test_the_rule_takes_the_nearest_graph(
    criterion: str, two_heads: MacePotential, profile: Profile, test_set: list[Atoms]
) -> None:
    rule = rule_of(two_heads, profile, criterion)
    refined = RadiusRefined(two_heads, rule)
    for atoms in test_set[:2]:
        one = CRITERIA[criterion]
        distances = {
            radius: one.distance(
                one.describe(refined.at(radius).graph(atoms)), profile.references[criterion]
            )
            for radius in rule.all_radii
        }
        chosen = refined.radii([atoms])[0]
        assert distances[chosen] == pytest.approx(min(distances.values()), rel=1e-6)


def test_the_training_radius_wins_unless_beaten_by_the_margin(
    two_heads: MacePotential, profile: Profile, test_set: list[Atoms]
) -> None:
    free = RadiusRefined(two_heads, rule_of(two_heads, profile))
    bound = RadiusRefined(two_heads, rule_of(two_heads, profile, margin=1.0))
    assert set(free.radii(test_set)) != {two_heads.cutoff}
    assert set(bound.radii(test_set)) == {two_heads.cutoff}


@pytest.mark.parametrize("mode", ["truncate", "taper"])
def test_predictions_are_those_of_the_model_at_the_chosen_radius(
    mode: CutoffMode,
    two_heads: MacePotential,
    profile: Profile,
    test_set: list[Atoms],
    train: list[Atoms],
) -> None:
    refined = RadiusRefined(two_heads, rule_of(two_heads, profile, mode=mode))
    mixed = [test_set[0], train[0], test_set[1]]
    for atoms, prediction in zip(mixed, refined.predict(mixed), strict=True):
        radius = refined.radii([atoms])[0]
        model = two_heads if radius == two_heads.cutoff else two_heads.with_cutoff(radius, mode)
        expected = model.predict([atoms])[0]
        assert prediction.energy == pytest.approx(expected.energy, abs=1e-9)
        np.testing.assert_allclose(prediction.forces, expected.forces, atol=1e-9)


def test_a_trajectory_has_one_radius_and_a_smooth_energy(
    two_heads: MacePotential, profile: Profile, test_set: list[Atoms]
) -> None:
    """One structure is bent through sizes at which the rule alone would change the radius."""
    refined = RadiusRefined(two_heads, rule_of(two_heads, profile))
    start = test_set[0]
    calculator = refined.calculator()
    energies, radii = [], set()
    for scale in np.linspace(1.0, 1.3, 61):
        atoms = start.copy()
        atoms.positions *= scale
        radii.update(refined.radii([atoms]))
        atoms.calc = calculator
        energies.append(atoms.get_potential_energy())
    assert len(radii) > 1, "the rule never changes its mind, so this test shows nothing"
    model = refined.at(refined.radii([start])[0])
    bent = start.copy()
    bent.positions *= 1.3
    assert energies[-1] == pytest.approx(model.predict([bent])[0].energy, abs=1e-9)
    curvature = np.abs(np.diff(energies, 3))
    assert curvature.max() < 20 * np.median(curvature) + 1e-3


def test_a_set_gets_a_plain_model_that_can_be_exported(
    two_heads: MacePotential, profile: Profile, test_set: list[Atoms], tmp_path: Path
) -> None:
    refinement = RadiusRefinement(
        profile, mode="taper", criterion="weighted-coordination", per="set", margin=0.0
    )
    refined = refinement.refine(two_heads, test_set)
    assert refined.record.acted and isinstance(refined.potential, MacePotential)
    assert refined.potential.cutoff != two_heads.cutoff
    export(refined.potential, tmp_path / "native.model")
    native = load_model(str(tmp_path / "native.model"))
    for one, two in zip(native.predict(test_set), refined.potential.predict(test_set), strict=True):
        np.testing.assert_allclose(one.forces, two.forces, atol=1e-9)
    with pytest.raises(CapabilityError, match="--per set"):
        export(RadiusRefined(two_heads, rule_of(two_heads, profile)), tmp_path / "x.model")


def test_a_composition_gets_the_radius_that_suits_some_of_its_structures(
    two_heads: MacePotential,
    profile: Profile,
    test_set: list[Atoms],
    train: list[Atoms],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    many = [*rattled("CH3CONH2", 12, seed=300), *test_set[:3], *rattled("H2O", 2)]
    rule = rule_of(two_heads, profile)
    refinement = RadiusRefinement(
        profile, mode="taper", criterion="weighted-coordination", per="composition", margin=0.0
    )
    seen: list[int] = []
    whole = RadiusRefined.distances

    def counted(self: RadiusRefined, given: list[Atoms]) -> np.ndarray:
        seen.append(len(given))
        return whole(self, given)

    monkeypatch.setattr(RadiusRefined, "distances", counted)
    refined = refinement.refine(two_heads, many)
    assert seen == [MOST_OF_EACH + 2] == [refined.record.figures["structures"]]
    model = refined.potential
    assert isinstance(model, RadiusByComposition) and set(model.table.radii) == {"C2H5NO", "H2O"}
    alike = some_of_each(many[:15], MOST_OF_EACH)
    distances = RadiusRefined(two_heads, rule).distances(alike).mean(axis=0)
    assert model.table.radii["C2H5NO"] == rule.all_radii[int(distances.argmin())]
    # nothing is chosen at a prediction, and what was not there keeps its radius
    monkeypatch.setattr(RadiusRefined, "distances", None)
    assert model.radii([many[0], train[0]]) == [model.table.radii["C2H5NO"], two_heads.cutoff]
    there = two_heads.with_cutoff(model.table.radii["C2H5NO"], "taper")
    for one, two in zip(model.predict(many[:2]), there.predict(many[:2]), strict=True):
        np.testing.assert_array_equal(one.forces, two.forces)
    model.save(tmp_path / "model")
    loaded = load_model(str(tmp_path / "model"))
    assert isinstance(loaded, RadiusByComposition) and loaded.table == model.table
    with pytest.raises(CapabilityError, match="--per set"):
        export(model, tmp_path / "x.model")


def test_cells_of_one_crystal_have_one_radius() -> None:
    table = RadiusTable("taper", {"ClNa": 3.0}, 4.5)
    salt = bulk("NaCl", "rocksalt", 5.64)
    assert table.radius(salt) == table.radius(salt * (2, 2, 1)) == 3.0
    assert table.radius(Atoms("ClNaCl")) == table.radius(Atoms("Na2Cl2")) == 4.5


@pytest.mark.parametrize("criterion", ["nearest", PRIOR])
def test_the_file_keeps_the_rule(
    criterion: str,
    two_heads: MacePotential,
    profile: Profile,
    test_set: list[Atoms],
    tmp_path: Path,
) -> None:
    refined = RadiusRefined(two_heads, rule_of(two_heads, profile, criterion), EMT_PRIOR)
    refined.save(tmp_path / "model")
    loaded = load_model(str(tmp_path / "model"))
    assert isinstance(loaded, RadiusRefined) and loaded.rule == refined.rule
    first, second = refined.predict(test_set), loaded.predict(test_set)
    assert all(a.energy == b.energy for a, b in zip(first, second, strict=True))


# --- reasons to act -----------------------------------------------------------------------


def test_without_a_reason_the_model_comes_back(
    two_heads: MacePotential, profile: Profile, test_set: list[Atoms]
) -> None:
    refined = RadiusRefinement(profile).refine(two_heads, test_set)
    assert refined.potential is two_heads and not refined.record.acted
    assert "nothing tells" in refined.record.reasons[0]


def test_evidence_decides(
    two_heads: MacePotential, profile: Profile, test_set: list[Atoms]
) -> None:
    good = found((0.05, 0.06, 0.04), mode="truncate", criterion="nearest")
    better = found((0.10, 0.11, 0.12), criterion="density")
    record = (
        RadiusRefinement(with_evidence(profile, good, better), margin=0.0)
        .refine(two_heads, test_set)
        .record
    )
    assert (record.settings["mode"], record.settings["criterion"]) == ("taper", "density")
    assert record.acted and "left out of training" in record.reasons[0]
    for harmful in (
        found((0.3, -0.01, 0.02)),  # a gain in the mean, but not for sure
        found((0.3, 0.3, 0.3), inside=(-0.05,)),  # harm in distribution
        found((0.3,)),  # of one group nothing can be said
        found((0.3, 0.3, 0.3), per="set"),  # of another use
    ):
        refined = RadiusRefinement(with_evidence(profile, harmful)).refine(two_heads, test_set)
        assert refined.potential is two_heads and not refined.record.acted


def test_what_the_user_asks_for_is_done_and_recorded(
    two_heads: MacePotential, profile: Profile, test_set: list[Atoms]
) -> None:
    harmful = found((-0.3, -0.3, -0.3), criterion="coordination")
    refinement = RadiusRefinement(
        with_evidence(profile, harmful), criterion="coordination", margin=0.0
    )
    record = refinement.refine(two_heads, test_set).record
    assert record.acted and "were asked for" in record.reasons[0]
    assert record.settings["mode"] == "taper"
    assert record.settings["criterion"] == "coordination"


def test_no_change_is_said_and_the_model_comes_back(
    two_heads: MacePotential, profile: Profile
) -> None:
    refinement = RadiusRefinement(profile, mode="truncate", margin=1.0)
    refined = refinement.refine(two_heads, rattled("CH3OH", 3))
    assert refined.potential is two_heads and not refined.record.acted
    assert "the training radius stays" in refined.record.reasons[-1]
    left_out = refined.record.settings["radii_left_out"]
    assert any("next to nothing" in why for why in left_out.values())


# --- the prior ----------------------------------------------------------------------------


def test_the_prior_chooses_the_radius_at_which_its_head_is_best(
    two_heads: MacePotential, profile: Profile, test_set: list[Atoms]
) -> None:
    rule = rule_of(two_heads, profile, PRIOR)
    refined = RadiusRefined(two_heads, rule, EMT_PRIOR)
    chosen = refined.radii(test_set)
    labels = [require(compute(EMT_PRIOR, atoms), atoms, EMT_PRIOR) for atoms in test_set]
    for atoms, radius, truth in zip(test_set, chosen, labels, strict=True):
        errors = {}
        for candidate in rule.all_radii:
            forces = refined.at(candidate).predict([atoms], EMT_PRIOR.name)[0].forces
            errors[candidate] = np.abs(forces - truth.known_forces).mean()
        assert errors[radius] == pytest.approx(min(errors.values()))


def test_the_corrected_forces_choose_the_radius_at_which_the_main_head_is_nearest(
    two_heads: MacePotential, profile: Profile, test_set: list[Atoms]
) -> None:
    rule = rule_of(two_heads, profile, CORRECTED)
    refined = RadiusRefined(two_heads, rule, EMT_PRIOR)
    for atoms, radius in zip(test_set[:3], refined.radii(test_set[:3]), strict=True):
        truth = require(compute(EMT_PRIOR, atoms), atoms, EMT_PRIOR).known_forces
        main, head = (two_heads.predict([atoms], h)[0].forces for h in (None, EMT_PRIOR.name))
        target = main - (head - truth)
        errors = {
            candidate: np.abs(refined.at(candidate).predict([atoms])[0].forces - target).mean()
            for candidate in rule.all_radii
        }
        assert errors[radius] == pytest.approx(min(errors.values()))


@pytest.mark.parametrize("per", ["structure", "composition", "set"])
def test_both_heads_must_agree(
    per: Per, two_heads: MacePotential, test_set: list[Atoms], monkeypatch: pytest.MonkeyPatch
) -> None:
    """One head's word falls by a tenth at the first radius; what does the other's do there?"""
    refinement = RadiusRefinement(prior=EMT_PRIOR, per=per)
    falls = np.tile([0.9] + [1.0] * 11, (len(test_set), 1))
    for acts, other in ((True, 0.98), (False, 0.995), (False, 1.2)):
        words = {CORRECTED: falls, PRIOR: np.where(falls < 1.0, other, 1.0)}
        monkeypatch.setattr(RadiusRefined, "asked", lambda *_, words=words: words)
        refined = refinement.refine(two_heads, test_set)
        assert refined.record.acted is acts
        assert (refined.potential is two_heads) is not acts
        assert ("do not agree" in refined.record.reasons[-1]) is not acts
        assert refined.record.settings["criterion"] == CORRECTED


def test_a_structure_on_which_the_prior_fails_keeps_its_radius(
    two_heads: MacePotential,
    profile: Profile,
    test_set: list[Atoms],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    refined = RadiusRefined(two_heads, rule_of(two_heads, profile, CORRECTED), EMT_PRIOR)
    outcomes = [Failure("no convergence"), compute(EMT_PRIOR, test_set[1])]
    monkeypatch.setattr(RadiusRefined, "_labels", lambda *_: outcomes)
    first, second = refined.radii(test_set[:2])
    assert first == two_heads.cutoff != second


def test_evidence_against_the_prior_is_heard(
    two_heads: MacePotential, profile: Profile, test_set: list[Atoms]
) -> None:
    against = with_evidence(profile, found((-0.1, -0.1, -0.2), criterion=CORRECTED))
    record = RadiusRefinement(against, prior=EMT_PRIOR).refine(two_heads, test_set).record
    assert not record.acted and "would do harm" in record.reasons[0]


# --- evidence -----------------------------------------------------------------------------


def test_evidence_finds_the_way_by_which_the_labels_were_made(
    two_heads: MacePotential, train: list[Atoms], test_set: list[Atoms]
) -> None:
    """Labels are the model's own forces at radii chosen in one way: that way has all the gain."""
    structures = [*train[:10], *test_set]
    known = references([two_heads.graph(atoms) for atoms in train[:8]])
    rule = make_rule(two_heads, "taper", "weighted-coordination", known)
    refined = RadiusRefined(two_heads, rule)
    for atoms, prediction in zip(structures, refined.predict(structures), strict=True):
        atoms.arrays["REF_forces"] = prediction.forces
    left = [
        LeftOut(frozenset({"a"}), list(range(8)), [8, 9], [10, 11, 12]),
        LeftOut(frozenset({"b"}), list(range(8)), [8, 9], [13, 14, 15, 16]),
    ]
    evidence = gather_radius_evidence([(two_heads, part) for part in left], structures)
    ways = {(e.mode, e.criterion, e.per): e for e in evidence}
    assert len(ways) == len(evidence) == 3 * len(CRITERIA) * 3
    best = ways["taper", "weighted-coordination", "structure"]
    assert best.outside == pytest.approx((1.0, 1.0)) and best.helps
    assert not ways["truncate", "weighted-coordination", "structure"].helps
    assert max(ways["rescale", "paper", "structure"].outside) < 1.0


def test_truncation_makes_the_energy_jump_and_the_jump_is_measured(
    two_heads: MacePotential,
) -> None:
    """The known weakness of this mode, so that nobody takes it for smooth."""
    models = [two_heads, *(two_heads.with_cutoff(3.0, mode) for mode in ("truncate", "taper"))]
    pair = Atoms("CO", [(0, 0, 0), (2.9999, 0, 0)])
    energies = []
    for distance in (2.9999, 3.0001):
        pair.positions[1, 0] = distance
        energies.append([model.predict([pair])[0].energy for model in models])
    smooth, jump, tapered = np.abs(np.subtract(*energies))
    assert jump > 20 * smooth
    assert tapered < 1e-6


def test_what_cannot_be_refined_is_refused(
    two_heads: MacePotential, profile: Profile, test_set: list[Atoms]
) -> None:
    with pytest.raises(CapabilityError, match="cutoff mode"):
        RadiusRefinement(profile).refine(BlackBoxPotential(EMT(), 4.5), test_set)
    with pytest.raises(ConfigError, match="did you mean 'density'"):
        RadiusRefinement(profile, criterion="densty")
    with pytest.raises(ConfigError, match="--prior"):
        RadiusRefinement(profile, criterion="prior")
    with pytest.raises(ConfigError, match="--per"):
        RadiusRefinement(profile, per="atom")  # type: ignore[arg-type]
    other = replace(profile, header={"cutoff": 3.0})
    with pytest.raises(ProfileError, match=r"3\.0 Å"):
        RadiusRefinement(other, criterion="density").refine(two_heads, test_set)
    old = replace(profile, references={})
    with pytest.raises(ProfileError, match="make it again"):
        RadiusRefinement(old, criterion="density").refine(two_heads, test_set)
