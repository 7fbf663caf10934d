"""The profile: what a file gives back, seeds, null distributions."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from ase.build import molecule

from farfield.errors import ProfileError
from farfield.shifts import DETECTORS, Profile
from farfield.shifts.profile import KEPT_ATOM_SCORES, VERSION, fit, load, save
from farfield.structures import folds
from tests.shifts.made import HEADER, fitted, rattled, seen

TEST = [*rattled(6, seed=77, width=0.2), molecule("CH3Cl")]


def everything(profile: Profile) -> list:
    """All that a profile says of the test structures, to the last bit."""
    found = []
    for observation in map(seen, TEST):
        quantiles = []
        for axis in profile.axes:
            score = profile.score(axis, observation)
            quantiles.append(profile.quantile(axis, score.structure))
            shares = profile.atom_quantiles(axis, score.atoms)
            found += [score.structure, score.atoms.tobytes(), score.reason, shares.tobytes()]
        found += [*quantiles, profile.combined_quantile(quantiles)]
    return found


def test_a_file_gives_back_every_score_bit_for_bit(tmp_path: Path) -> None:
    profile = fitted()
    path = tmp_path / "new" / "profile"
    save(profile, path)
    again = load(path)
    assert again.header == profile.header == {"version": VERSION, "seed": 0, **HEADER}
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


def test_null_scores_are_of_structures_that_were_held_out() -> None:
    observations = [seen(atoms) for atoms in rattled(25, seed=2)]
    profile = fit(observations, seed=3, header=HEADER)
    for axis, detector in DETECTORS.items():
        expected, atoms = [], []
        for part in folds(25, 5, 3):
            rest = [observations[index] for index in range(25) if index not in part]
            scores = [detector.score(observations[i], detector.fit(rest)) for i in part]
            expected += [score.structure for score in scores]
            atoms += [value for score in scores for value in score.atoms]
        assert np.array_equal(profile.axes[axis].null, np.sort(expected))
        assert np.array_equal(profile.axes[axis].atom_null, np.sort(atoms))
    assert (np.diff(profile.combined_null) >= 0.0).all()
    assert len(profile.combined_null) == 25


def test_thinned_atom_scores_keep_the_ends_and_the_quantiles() -> None:
    observations = [seen(atoms, features=False) for atoms in rattled(300, seed=4)]
    profile = fit(observations, seed=0, header=HEADER)
    scores = []
    for part in folds(300, 5, 0):
        rest = [observations[index] for index in range(300) if index not in part]
        state = DETECTORS["force_norm"].fit(rest)
        scores += [DETECTORS["force_norm"].score(observations[i], state).atoms for i in part]
    full, thin = np.sort(np.concatenate(scores)), profile.axes["force_norm"].atom_null
    assert len(full) > KEPT_ATOM_SCORES == len(thin)
    assert (thin[0], thin[-1]) == (full[0], full[-1])
    levels = np.linspace(0.0, 1.0, 21)
    assert np.allclose(np.quantile(thin, levels), np.quantile(full, levels), atol=0.01)
    assert profile.atom_quantiles("force_norm", full[-1:] + 0.1).tolist() == [1.0]
    assert profile.atom_quantiles("force_norm", full[-1:])[0] < 1.0


def test_quantiles_by_hand() -> None:
    profile = fitted(20)
    axis = replace(profile.axes["force_norm"], null=np.array([1.0, 2.0, 2.0, 3.0]))
    profile = replace(
        profile,
        axes={**profile.axes, "force_norm": axis},
        combined_null=np.array([0.25, 0.5, 0.75, 0.75]),
    )
    scores = (0.5, 1.0, 1.5, 2.0, 2.0 + 1e-9, 2.5, 3.0, 3.1)
    quantiles = [profile.quantile("force_norm", score) for score in scores]
    assert quantiles == [0.0, 0.0, 0.25, 0.25, 0.25, 0.75, 0.75, 1.0]
    assert profile.combined_quantile([0.1, 0.6]) == 0.5
    assert profile.combined_quantile([0.75, 0.1]) == 0.5
    assert profile.combined_quantile([0.0, 1.0]) == 1.0


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
    assert len(fitted(10).combined_null) == 10


def test_axes_that_cannot_be_seen_are_left_out() -> None:
    assert tuple(fitted(10, forces=False).axes) == ("elements", "connectivity", "representation")
    assert tuple(fitted(10, features=False).axes) == ("elements", "force_norm", "connectivity")
    mixed = [seen(atoms, forces=bool(index)) for index, atoms in enumerate(rattled(12, seed=0))]
    assert "force_norm" not in fit(mixed, seed=0, header=HEADER).axes


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
