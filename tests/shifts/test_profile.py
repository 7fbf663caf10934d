"""The profile: what a file gives back, seeds, null distributions."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from ase.build import molecule

from farfield.errors import ProfileError
from farfield.shifts import DEFAULT, DETECTORS, Profile
from farfield.shifts.axis import FOLDS, KEPT_ATOM_SCORES
from farfield.shifts.profile import VERSION, fit, remember
from farfield.shifts.profile_files import load, save
from farfield.shifts.remembered.memory import folds_of
from tests.shifts.made import HEADER, fitted, rattled, seen

TEST = [*rattled(6, seed=77, width=0.2), molecule("CH3Cl")]


def everything(profile: Profile) -> list:
    """All that a profile says of the test structures, to the last bit."""
    found = []
    for observation in map(seen, TEST):
        quantiles = {}
        for axis in profile.axes:
            score = profile.score(axis, observation)
            quantiles[axis] = profile.quantile(axis, score.structure)
            shares = profile.atom_quantiles(axis, score.atoms)
            found += [score.structure, score.atoms.tobytes(), score.reason, shares.tobytes()]
        found += [*quantiles.values(), profile.combined_quantile(quantiles)]
    return found


def test_a_file_gives_back_every_score_bit_for_bit(tmp_path: Path) -> None:
    profile = fitted()
    path = tmp_path / "new" / "profile"
    save(profile, path)
    again = load(path)
    stored = {"version": VERSION, "seed": 0, **HEADER, "not_fitted": {}, "n_structures": 40}
    stored |= {"n_held_out": None, "error_estimate": again.header["error_estimate"]}
    assert again.header == profile.header == stored
    assert again.fingerprint == profile.fingerprint
    assert again.cutoff == profile.cutoff
    assert everything(again) == everything(profile)
    assert [file.name for file in path.parent.iterdir()] == ["profile"]


def test_the_same_seed_gives_the_same_bytes_and_another_other_folds(tmp_path: Path) -> None:
    for name, seed in (("first", 0), ("second", 0), ("other", 1)):
        observations = [seen(atoms) for atoms in rattled(30, seed=5)]
        save(fit(observations, seed=seed, header=HEADER), tmp_path / name)
    first, second, other = ((tmp_path / name).read_bytes() for name in ("first", "second", "other"))
    assert first == second != other
    one, two = load(tmp_path / "first"), load(tmp_path / "other")
    assert not np.array_equal(one.axes["connectivity"].null, two.axes["connectivity"].null)
    for axis in one.axes:  # the seed moves the folds alone
        for key, value in one.axes[axis].state.items():
            assert np.array_equal(value, two.axes[axis].state[key])


def split(observations: list, seed: int) -> list[tuple[list, list]]:
    """What each fold holds, and what the others hold."""
    owners = folds_of([seen.key for seen in observations], FOLDS, seed)
    pairs = list(zip(observations, owners, strict=True))
    return [
        ([seen for seen, owner in pairs if owner == part],
         [seen for seen, owner in pairs if owner != part])
        for part in range(FOLDS)
    ]  # fmt: skip


def test_null_scores_are_of_structures_that_were_held_out() -> None:
    """What is left of a memory without a fold is the memory of the others."""
    observations = [seen(atoms) for atoms in rattled(25, seed=2)]
    profile = fit(observations, seed=3, header=HEADER)
    for axis, detector in DETECTORS.items():
        expected, atoms = [], []
        for judged, rest in split(observations, 3):
            state = detector.fit(remember(rest))
            scores = [detector.score(item, state) for item in judged]
            expected += [score.structure for score in scores]
            atoms += [value for score in scores for value in score.atoms]
        close = {"rtol": 2e-3, "atol": 2e-4}
        assert np.allclose(profile.axes[axis].null, np.sort(expected), **close), axis
        assert np.allclose(profile.axes[axis].atom_null, np.sort(atoms), **close), axis
    combined = profile.combined_null(DEFAULT)
    assert (np.diff(combined) >= 0.0).all()
    assert len(combined) == 25


def test_thinned_atom_scores_keep_the_ends_and_the_quantiles() -> None:
    observations = [seen(atoms, features=False) for atoms in rattled(300, seed=4)]
    profile = fit(observations, seed=0, header=HEADER)
    full = np.sort(np.concatenate([item.norms("force_norm").atoms for item in observations]))
    thin = profile.axes["force_norm"].atom_null
    assert len(full) > KEPT_ATOM_SCORES == len(thin)
    assert (thin[0], thin[-1]) == pytest.approx((full[0], full[-1]))
    levels = np.linspace(0.0, 1.0, 21)
    assert np.allclose(np.quantile(thin, levels), np.quantile(full, levels), atol=0.01)
    assert profile.atom_quantiles("force_norm", full[-1:] + 0.1).tolist() == [1.0]
    assert profile.atom_quantiles("force_norm", full[-1:])[0] < 1.0


def test_quantiles_by_hand() -> None:
    profile = fitted(20)
    axis = replace(
        profile.axes["force_norm"],
        null=np.array([1.0, 2.0, 2.0, 3.0]),
        held_out=np.array([0.25, 0.0, 0.75, 0.25]),
    )
    other = replace(profile.axes["connectivity"], held_out=np.array([0.0, 0.5, 0.0, 0.75]))
    profile = replace(profile, axes={"force_norm": axis, "connectivity": other})
    scores = (0.5, 1.0, 1.5, 2.0, 2.0 + 1e-9, 2.5, 3.0, 3.1)
    quantiles = [profile.quantile("force_norm", score) for score in scores]
    assert quantiles == [0.0, 0.0, 0.25, 0.25, 0.25, 0.75, 0.75, 1.0]
    assert profile.combined_null(["force_norm", "connectivity"]).tolist() == [0.25, 0.5, 0.75, 0.75]
    for force_norm, connectivity, expected in ((0.1, 0.6, 0.5), (0.75, 0.1, 0.5), (0.0, 1.0, 1.0)):
        both = {"force_norm": force_norm, "connectivity": connectivity}
        assert profile.combined_quantile(both) == expected


def test_the_combined_quantile_is_among_the_same_axes() -> None:
    """An axis that a structure lacks raises no bar for it, nor do structures that lack one."""
    observations = [seen(atoms, residual=index != 3) for index, atoms in enumerate(rattled(20, 0))]
    profile = fit(observations, seed=0, header=HEADER)
    places = np.flatnonzero(np.isnan(profile.axes["prior_residual"].held_out))
    assert sorted(profile.train.structures)[places[0]] == observations[3].key
    assert len(places) == 1
    assert len(profile.axes["prior_residual"].null) == 19
    alone = profile.combined_null(["force_norm"])
    assert np.array_equal(alone, np.sort(profile.axes["force_norm"].held_out))
    table = np.stack([profile.axes[axis].held_out for axis in ("force_norm", "prior_residual")])
    both = profile.combined_null(["force_norm", "prior_residual"])
    assert np.array_equal(both, np.sort(np.delete(table, places, axis=1).max(axis=0)))
    for quantile in (0.3, 0.8):
        found = profile.combined_quantile({"force_norm": quantile})
        assert found == pytest.approx(quantile, abs=0.051)


def test_copies_of_one_structure_are_all_alike_to_the_profile() -> None:
    """A training set without any spread: the rounding of a model must put no copy outside."""
    rng = np.random.default_rng(0)
    copies = []
    for atoms in rattled(21, seed=0, names=["CH3CH2OH"], width=0.0):
        atoms.rotate(rng.uniform(0, 360), rng.normal(size=3))
        seen_so = seen(atoms)
        noise = 1.0 + 1e-7 * rng.normal(size=(9, 1))  # of a model in float32
        forces, features = seen_so.forces * noise, seen_so.features * noise
        copies.append(replace(seen_so, forces=forces, features=features))
    profile = fit(copies[1:], seed=0, header=HEADER)
    for axis in profile.axes:
        score = profile.score(axis, copies[0])
        assert profile.quantile(axis, score.structure) == 0.0
        assert profile.atom_quantiles(axis, score.atoms).max() < 1.0


@pytest.mark.parametrize("count", [0, 1, 9])
def test_too_few_structures(count: int) -> None:
    with pytest.raises(ProfileError, match=f"at least 10 training structures, got {count}"):
        fitted(count)
    ten = [seen(atoms) for atoms in rattled(10, seed=0)]
    with pytest.raises(ProfileError, match=f"at least 10 held-out structures, got {count}"):
        fit(ten, seed=0, header=HEADER, held_out=ten[:count])
    assert len(fitted(10).combined_null(DEFAULT)) == 10


def test_axes_that_cannot_be_seen_are_left_out_and_say_why() -> None:
    for option, axis, words in (
        ("forces", "force_norm", "no proxy forces: "),
        ("features", "representation", "no node features: "),
        ("residual", "prior_residual", "no prior residual: "),
    ):
        profile = fitted(10, **{option: False})
        assert profile.default_axes == tuple(name for name in DEFAULT if name != axis)
        assert list(profile.header["not_fitted"]) == [axis]
        assert profile.header["not_fitted"][axis].startswith(words)


def test_one_structure_without_an_axis_does_not_cost_the_others_that_axis() -> None:
    some = [seen(atoms, forces=bool(index)) for index, atoms in enumerate(rattled(12, seed=0))]
    profile = fit(some, seed=0, header=HEADER)
    alone = fit(some[1:], seed=0, header=HEADER)
    assert profile.header["not_fitted"] == {}
    assert np.array_equal(profile.axes["force_norm"].null, alone.axes["force_norm"].null)
    levels = [item.axes["force_norm"].state["levels"] for item in (profile, alone)]
    assert np.array_equal(*levels)
    few = [seen(atoms, forces=index > 2) for index, atoms in enumerate(rattled(12, seed=0))]
    reason = fit(few, seed=0, header=HEADER).header["not_fitted"]["force_norm"]
    assert reason.startswith("3 of 12 structures have no proxy forces: ")


def test_held_out_structures_give_the_null_and_training_gives_the_state() -> None:
    train = [seen(atoms) for atoms in rattled(30, seed=5)]
    others = [seen(atoms) for atoms in rattled(14, seed=6, width=0.1)]
    profile = fit(train, seed=0, header=HEADER, held_out=others)
    for axis, detector in DETECTORS.items():
        state = detector.fit(remember(train))
        scores = [detector.score(item, state) for item in others]
        structures = np.sort([score.structure for score in scores])
        assert np.allclose(profile.axes[axis].null, structures, rtol=2e-3, atol=2e-4), axis
        atoms = np.sort(np.concatenate([score.atoms for score in scores]))
        assert np.allclose(profile.axes[axis].atom_null, atoms, rtol=2e-3, atol=2e-4), axis
        assert all(np.array_equal(profile.axes[axis].state[key], state[key]) for key in state)
    assert len(profile.combined_null(DEFAULT)) == 14
    some = [
        replace(item, residual=None) if index < 5 else item for index, item in enumerate(others)
    ]
    reason = fit(train, seed=0, header=HEADER, held_out=some).header["not_fitted"]
    assert reason["prior_residual"].startswith("5 of 14 structures have no prior residual")


def test_the_null_of_fitted_structures_is_too_narrow_and_that_of_held_out_ones_is_not() -> None:
    """A model that was fitted to its training set misses the prior there by half as much."""
    fitted_to = [
        replace(item, residual=0.5 * item.residual) for item in map(seen, rattled(60, seed=5))
    ]
    held_out = [seen(atoms) for atoms in rattled(60, seed=6)]
    new = [seen(atoms) for atoms in rattled(60, seed=7)]
    medians = []
    for group in (None, held_out):
        profile = fit(fitted_to, seed=0, header=HEADER, held_out=group)
        scores = [profile.score("prior_residual", item).structure for item in new]
        medians.append(np.median([profile.quantile("prior_residual", score) for score in scores]))
    assert medians[0] > 0.9
    assert medians[1] == pytest.approx(0.5, abs=0.15)


def test_training_forces_that_are_not_finite_raise() -> None:
    observations = [seen(atoms) for atoms in rattled(12, seed=0)]
    observations[7].forces[0, 0] = np.nan
    with pytest.raises(ProfileError, match="no finite score on the axis force_norm"):
        fit(observations, seed=0, header=HEADER)


def test_one_atom_without_a_number_is_enough_to_raise(monkeypatch) -> None:
    profile, observation = fitted(12), seen(molecule("CH4"))
    real = DETECTORS["elements"]

    class Spoilt(type(real)):
        def score(self, observation, state):
            score = real.score(observation, state)
            score.atoms[3] = np.nan
            return score

    monkeypatch.setitem(DETECTORS, "elements", Spoilt())
    with pytest.raises(ProfileError, match="no finite score on the axis elements"):
        profile.score("elements", observation)
