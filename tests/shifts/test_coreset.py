"""A coreset: which structures are kept, what comes back from the file, and what a merge keeps."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from ase import Atoms

import farfield
from farfield.errors import ConfigError, LabelError, ProfileError
from farfield.potentials import Potential
from farfield.shifts import Profile, merge
from farfield.shifts.profile_files import load, save
from farfield.shifts.remembered.coreset import Coreset, farthest
from farfield.structures import Labels, attach, labels_of
from farfield.verbs.replayed import replayed
from tests.shifts.made import rattled, seen
from tests.shifts.two_heads import MODEL, referenced

TRAIN = referenced(rattled(60, seed=1))
for place, one in enumerate(TRAIN):  # so that labels tell the structures apart
    attach(one, replace(labels_of(one), energy=float(place)))


def coreset(structures: list[Atoms], most: int = 8, by: str = "farthest") -> Coreset:
    found = Coreset(most, by)
    for atoms in structures:
        found.add(atoms, seen(atoms))
    return found.settle()


def energies(given: Coreset) -> list[float]:
    return sorted(labels_of(atoms).energy for atoms in given.structures)


def test_the_farthest_points_of_a_line_and_of_a_square() -> None:
    line = np.array([[0.0], [1.0], [2.0], [3.0], [10.0]], dtype=np.float32)
    assert farthest(line, 3) == [3, 4, 0]
    corners = [[0, 0], [0, 1], [1, 0], [1, 1], [0.5, 0.5], [0.4, 0.5]]
    chosen = farthest(np.array(corners, dtype=np.float32), 5)
    assert chosen[0] == 4 and sorted(chosen) == [0, 1, 2, 3, 4]


def test_the_farthest_find_what_is_rare() -> None:
    rare = referenced(rattled(2, seed=9, names=("CH4", "H2O")))
    kept = coreset([*TRAIN, *rare], most=10)
    formulas = {atoms.get_chemical_formula() for atoms in kept.structures}
    assert {"CH4", "H2O"} <= formulas


def test_by_loss_those_with_the_largest_force_error() -> None:
    losses = [float(np.mean((seen(a).forces - labels_of(a).forces) ** 2)) for a in TRAIN]
    assert set(losses) == {0.0}  # in this toy
    for place in (3, 17, 41):
        spoilt = TRAIN[place].copy()
        spoilt.arrays["REF_forces"] = spoilt.arrays["REF_forces"] + place
        found = coreset([*TRAIN[:place], spoilt, *TRAIN[place + 1 :]], 2, "loss")
        assert float(place) in energies(found)


@pytest.mark.parametrize("by", ["farthest", "loss"])
def test_order_does_not_matter_even_where_not_all_are_candidates(by: str) -> None:
    many = referenced(rattled(90, seed=5))
    for place, atoms in enumerate(many):
        shifted = labels_of(atoms).forces + 0.01 * place
        attach(atoms, Labels(float(place), shifted, level_of_theory="toy reference"))
    found = coreset(many, 3, by)  # 30 candidates, thinned at 60
    again = coreset([many[place] for place in np.random.default_rng(0).permutation(90)], 3, by)
    assert len(found) == 3 and found.keys == again.keys
    assert energies(found) == energies(again)
    if by == "loss":
        assert energies(found) == [87.0, 88.0, 89.0]


@pytest.mark.parametrize("by", ["farthest", "loss"])
def test_merging_does_not_depend_on_the_order_and_by_loss_gives_the_whole(by: str) -> None:
    parts = [coreset(TRAIN[start : start + 20], 6, by) for start in (0, 20, 40)]
    merged = parts[0].merged(parts[1:])
    assert len(merged) == 6
    assert merged.keys == parts[2].merged([parts[0], parts[1]]).keys
    assert set(merged.keys) <= {key for part in parts for key in part.keys}
    if by == "loss":
        assert merged.keys == coreset(TRAIN, 6, by).keys


def profile(structures: list[Atoms], model: Potential = MODEL, **options: object) -> Profile:
    options = {"coreset": 6, "coreset_by": "loss", **options}
    return farfield.profile(structures, model=model, **options)


def test_geometry_and_labels_come_back_to_the_last_bit(tmp_path: Path) -> None:
    given = [atoms.copy() for atoms in TRAIN]
    given[0].info["charge"], given[0].info["spin"] = -1, 2
    given[1].set_cell([9.0, 8.0, 7.0])
    given[1].pbc = [True, False, True]
    fitted = profile(given, coreset=60)
    assert fitted.header["coreset"] == {"most": 60, "by": "loss"}
    assert fitted.header["n_coreset"] == 60
    save(fitted, tmp_path / "p")
    back = load(tmp_path / "p")
    assert back.header == fitted.header and back.fingerprint == fitted.fingerprint
    originals = {labels_of(atoms).energy: atoms for atoms in given}
    for atoms in back.coreset.structures:
        original = originals[labels_of(atoms).energy]
        assert atoms == original
        assert np.array_equal(labels_of(atoms).forces, labels_of(original).forces)
        assert labels_of(atoms).level_of_theory == "toy reference"
        for key in ("charge", "spin"):
            assert atoms.info.get(key) == original.info.get(key)
    assert back.coreset.n_bytes == fitted.coreset.n_bytes > 60 * 9 * 48


def test_a_profile_holds_no_structure_unless_asked(tmp_path: Path) -> None:
    plain, kept = farfield.profile(TRAIN, model=MODEL), profile(TRAIN)
    assert plain.coreset is None and "coreset" not in plain.header
    assert plain.fingerprint != kept.fingerprint
    save(plain, tmp_path / "p")
    assert load(tmp_path / "p").coreset is None
    with np.load(tmp_path / "p") as content:
        assert not [
            name for name in content.files if name.endswith("/positions") or "coreset" in name
        ]


def test_profiles_are_merged_with_their_coresets(tmp_path: Path) -> None:
    parts = [profile(TRAIN[:25]), profile(TRAIN[25:])]
    merged, whole = merge(parts), profile(TRAIN)
    assert merged.coreset.keys == whole.coreset.keys
    assert merged.header == whole.header and merged.fingerprint == whole.fingerprint
    assert merge(parts[::-1]).coreset.keys == whole.coreset.keys
    with pytest.raises(ProfileError, match=r"the coreset of the first is .* of the second None"):
        merge([parts[0], farfield.profile(TRAIN[25:], model=MODEL)])
    with pytest.raises(ProfileError, match="the coreset of the first"):
        merge([parts[0], profile(TRAIN[25:], coreset=7)])


def test_what_cannot_be_kept_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"unknown way 'farthes'.*did you mean 'farthest'"):
        profile(TRAIN, coreset_by="farthes")
    with pytest.raises(ConfigError, match="needs --model"):
        farfield.profile(TRAIN, cutoff=4.0, coreset=5)
    with pytest.raises(ConfigError, match="give --coreset N too"):
        farfield.profile(TRAIN, model=MODEL, coreset_by="loss")
    with pytest.raises(ConfigError, match="a coreset of 1"):
        profile(TRAIN, coreset=1)
    with pytest.raises(LabelError, match="which a coreset needs"):
        profile([*TRAIN, *rattled(1, seed=3)])
    with pytest.raises(ProfileError, match="choose them by 'loss'"):
        profile(TRAIN, coreset_by="farthest")  # this toy tells no features


def test_what_is_replayed_and_what_is_told_of_it() -> None:
    kept, test = profile(TRAIN), rattled(3, seed=8)
    found, told = replayed(None, kept, test)
    assert len(found) == 6 and "6 training structures kept in the profile" in told
    found, told = replayed(None, kept, [*test, kept.coreset.structures[0]])
    assert len(found) == 5 and "1 others not: they are among those to refine for" in told
    assert replayed(TRAIN, kept, test)[0] is TRAIN
    bare = farfield.profile(TRAIN, cutoff=4.0)
    for without, words in ((None, "there is no profile"), (bare, "the profile keeps none")):
        found, told = replayed(None, without, test)
        assert found is None and words in told and "--coreset" in told
