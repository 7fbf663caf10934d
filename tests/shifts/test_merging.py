"""Profiles of shards, merged, are the profile of the whole."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from ase.build import molecule
from hypothesis import given, settings
from hypothesis import strategies as st

from farfield.errors import ProfileError
from farfield.shifts import DETECTORS, Observation, Profile, merge
from farfield.shifts.profile import fit
from farfield.shifts.profile_files import load, save
from farfield.shifts.remembered import memory as memory_module
from farfield.shifts.remembered.packing import pack
from tests.shifts.made import HEADER, rattled, seen

FLOATS = ("totals/spectrum", "totals/features", "totals/squares", "totals/products")
TRAIN = [
    *(seen(atoms) for atoms in rattled(60, seed=1)),
    seen(molecule("CH3Cl")),
    seen(molecule("SiH4")),
]
NAMED = {**HEADER, "model": "a model", "model_fingerprint": "1", "prior": "toy"}


def labelled(count: int, seed: int) -> list[Observation]:
    items = [seen(atoms) for atoms in rattled(count, seed)]
    return [replace(item, force_error=1.3 * item.residual) for item in items]


HELD_OUT = labelled(45, seed=2)
TEST = [*(seen(atoms) for atoms in rattled(6, seed=3, width=0.2)), seen(molecule("C2Cl4"))]


def profile_of(train: list, held_out: list | None = None, **changes: object) -> Profile:
    return fit(train, seed=0, header={**NAMED, **changes}, held_out=held_out)


@pytest.fixture(autouse=True, scope="module")
def _tight_limits():
    """Every limit is reached: 40 structures, 150 of their atoms, 60 atoms of all elements."""
    with pytest.MonkeyPatch.context() as patch:
        each = memory_module.NUMBERS + 2 * TRAIN[0].features.shape[1]
        tight = memory_module.Limits(
            rows=150 * each,
            environments=60 * (each + memory_module.LOCAL),
            local=50,
            eigenvalues=200,
            labelled=280,
        )
        patch.setattr(memory_module, "STRUCTURES", 40)
        patch.setattr("farfield.shifts.profile.TRAINING", tight)
        patch.setattr("farfield.shifts.profile.HELD_OUT", replace(tight, environments=0))
        patch.setattr("farfield.shifts.profile_files.TRAINING", tight)
        patch.setattr("farfield.shifts.profile_files.HELD_OUT", replace(tight, environments=0))
        patch.setattr("farfield.graphs.reference_sums.KEPT", 20)
        patch.setattr("farfield.shifts.remembered.compositions.KEPT", 5)
        patch.setattr("farfield.shifts.remembered.environments.PENDING", 100)
        yield


def require_same(first: Profile, second: Profile) -> None:
    """Counts and samples to the last bit, sums to rounding; and so every score."""
    assert first.fingerprint == second.fingerprint
    assert first.header == second.header
    assert (first.held_out is None) == (second.held_out is None)
    pairs = [(first.train, second.train)]
    if first.held_out is not None:
        pairs.append((first.held_out, second.held_out))
    for one, other in pairs:
        ours, theirs = pack(one), pack(other)
        assert ours.keys() == theirs.keys()
        for name, values in ours.items():
            if name in FLOATS or name.startswith("references/sum"):
                np.testing.assert_allclose(values, theirs[name], rtol=1e-12, atol=1e-12)
            else:
                assert np.array_equal(values, theirs[name], equal_nan=values.dtype.kind == "f"), (
                    name
                )
    for name, values in first.references.items():
        np.testing.assert_allclose(values, second.references[name], rtol=1e-12, atol=1e-12)
    if first.error_calibration is not None:
        kept = second.error_calibration.arrays()
        for name, values in first.error_calibration.arrays().items():
            assert np.array_equal(values, kept[name])
    for axis in DETECTORS:
        for item in TEST:
            ours, theirs = first.score(axis, item), second.score(axis, item)
            assert ours.structure == pytest.approx(theirs.structure, rel=1e-9, abs=1e-9)
            assert np.allclose(ours.atoms, theirs.atoms, rtol=1e-9, atol=1e-9)
        np.testing.assert_allclose(first.axes[axis].null, second.axes[axis].null, atol=1e-9)
        np.testing.assert_allclose(
            first.axes[axis].atom_null, second.axes[axis].atom_null, atol=1e-9
        )


def test_every_limit_is_reached() -> None:
    whole = profile_of(TRAIN, HELD_OUT)
    content = pack(whole.train)
    assert len(whole.train.structures) == 40 < whole.train.totals.count
    told = content["structures/lengths/rows/numbers"]
    assert told.sum() <= 150 and 0 in told and whole.train.most_told == 4
    assert 0 in content["structures/lengths/eigenvalues"]
    assert len(content["environments/keys"]) <= 60 < whole.train.totals.atoms.sum()
    assert {14, 17} <= set(content["environments/numbers"].tolist())  # the rare are kept
    assert len(content["compositions/keys"]) == 5
    assert len(content["references/keys/nearest"]) == 20
    calibrating = [one for one in whole.held_out.structures.values() if len(one.labelled)]
    assert 30 <= len(calibrating) < 40
    assert whole.error_calibration.n_structures == len(whole.held_out.structures) == 40


@settings(max_examples=5)
@given(st.integers(0, 10**6))
def test_shards_in_any_order_give_the_whole(seed: int) -> None:
    rng = np.random.default_rng(seed)
    train = [TRAIN[place] for place in rng.permutation(len(TRAIN))]
    held = [HELD_OUT[place] for place in rng.permutation(len(HELD_OUT))]
    cut, held_cut = rng.integers(10, 52), rng.integers(10, 35)
    first = profile_of(train[:cut], held[:held_cut])
    rest = train[cut:], held[held_cut:]
    second = profile_of(*rest)
    whole = profile_of(TRAIN, HELD_OUT)
    require_same(merge([first, second]), whole)
    require_same(merge([second, first]), whole)


def test_three_parts_with_copies_between_them_and_through_files(tmp_path: Path) -> None:
    parts = [TRAIN[:20] + TRAIN[-1:], TRAIN[15:35], TRAIN[35:] + TRAIN[:3]]
    paths = [tmp_path / str(place) for place in range(3)]
    for path, part in zip(paths, parts, strict=True):
        save(profile_of(part), path)
    whole = profile_of([item for part in parts for item in part])
    assert whole.header["n_structures"] == sum(map(len, parts))
    merged = merge([load(path) for path in paths])
    require_same(merged, whole)
    left = merge([merge([load(paths[2]), load(paths[0])]), load(paths[1])])
    require_same(left, whole)
    save(merged, tmp_path / "merged")
    require_same(load(tmp_path / "merged"), whole)


def test_held_out_structures_of_one_part_are_those_of_the_whole() -> None:
    merged = merge([profile_of(TRAIN[:30]), profile_of(TRAIN[30:], HELD_OUT)])
    require_same(merged, profile_of(TRAIN, HELD_OUT))


def test_structures_that_lack_an_axis_are_counted() -> None:
    some = [replace(item, residual=None) if place % 3 == 0 else item
            for place, item in enumerate(TRAIN)]  # fmt: skip
    merged = merge([profile_of(some[:25]), profile_of(some[25:])])
    whole = profile_of(some)
    assert merged.train.lacking == whole.train.lacking
    assert whole.train.lacking["prior_residual"][0] == len(some[::3])
    assert np.array_equal(merged.axes["prior_residual"].null, whole.axes["prior_residual"].null)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"model": "another"}, "the model of the first is 'a model', of the second 'another'"),
        ({"model_fingerprint": "2"}, "the weights of the model of the first is '1'"),
        ({"cutoff": 5.0}, "the cutoff of the first is 4.0, of the second 5.0"),
        ({"prior": "gfn2"}, "the prior of the first is 'toy', of the second 'gfn2'"),
        ({"level_of_theory": "PBE"}, "the level of theory of the first is None"),
        ({"seed": 1}, "the seed of the first is 0, of the second 1"),
        ({"version": 2}, "the version of the first is "),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_profiles_that_do_not_go_together_say_why(change: dict, words: str) -> None:
    first = profile_of(TRAIN[:12])
    second = replace(first, header={**first.header, **change})
    with pytest.raises(ProfileError) as caught:
        merge([first, second], ["a.npz", "b.npz"])
    assert str(caught.value).startswith("a.npz and b.npz do not go together: ")
    assert words in str(caught.value)


def test_other_features_and_overlaps_are_refused() -> None:
    first = profile_of(TRAIN[:12])
    narrow = [replace(item, features=item.features[:, :3]) for item in TRAIN[12:30]]
    with pytest.raises(ProfileError, match="with 8 and with 3 node features"):
        merge([first, profile_of(narrow)])
    with pytest.raises(ProfileError, match="with 8 and with 3 node features"):
        profile_of([*TRAIN[:12], *narrow])
    with pytest.raises(ProfileError, match="12 structures stand in training and among those held"):
        merge([first, profile_of(TRAIN[12:30], TRAIN[:12])])
    with pytest.raises(ProfileError, match="no profile to merge"):
        merge([])


def test_what_was_learned_by_leaving_out_is_kept_of_one_and_never_mixed() -> None:
    first, second = profile_of(TRAIN[:20]), profile_of(TRAIN[20:])
    learned = replace(first, header={**first.header, "radius": [1, 2]})
    assert merge([second, learned]).header["radius"] == [1, 2]
    other = replace(second, header={**second.header, "radius": [1, 3]})
    with pytest.raises(ProfileError, match="learned different things of 'radius'"):
        merge([learned, other])


def test_the_fingerprint_tells_structures_and_settings_apart() -> None:
    first = profile_of(TRAIN[:20])
    assert len(first.fingerprint) == 16
    assert first.fingerprint == profile_of(TRAIN[:20][::-1]).fingerprint
    others = [
        profile_of(TRAIN[:21]),
        profile_of(TRAIN[:19] + TRAIN[:1]),
        profile_of(TRAIN[:20], HELD_OUT),
        profile_of(TRAIN[:20], cutoff=5.0),
        fit(TRAIN[:20], seed=1, header=NAMED),
    ]
    prints = [first.fingerprint, *(other.fingerprint for other in others)]
    assert len(set(prints)) == len(prints)
