"""A profile of many structures of all elements is small, in the file and while it is made."""

from __future__ import annotations

import tracemalloc
from functools import cached_property
from pathlib import Path

import numpy as np
import pytest

from farfield.graphs import CRITERIA
from farfield.shifts import Observation
from farfield.shifts.contract import ELEMENTS, Norms
from farfield.shifts.observation import pair_codes
from farfield.shifts.profile import VERSION, derive
from farfield.shifts.profile_files import load, save
from farfield.shifts.remembered.memory import HELD_OUT, TRAINING, Memory

MOST_BYTES = 2_000_000
FEATURES = 128
HEADER = {"version": VERSION, "seed": 0, "cutoff": 6.0, "model": "universal", "prior": "toy"}


class Cheap(Observation):
    """A crystal of random numbers: 2 to 60 atoms of 1 to 5 of 89 elements, nothing computed."""

    def __init__(self, key: int, held_out: bool = False) -> None:
        rng = np.random.default_rng(key)
        count = int(rng.integers(2, 61))
        kinds = rng.choice(89, size=int(rng.integers(1, 6))) + 1
        made = {
            "key": int(rng.integers(1, 2**63)),
            "rng": rng,
            "n_atoms": count,
            "cutoff": 6.0,
            "numbers": rng.choice(kinds, size=count),
            "features": rng.normal(size=(count, FEATURES)),
            "held_out": held_out,
            "weights": np.full(count, 1.0 / count),
            "prior_failure": None,
            "share_near_one": float(rng.random()),
        }
        for name, value in made.items():
            self.__dict__[name] = value

    n_atoms = cutoff = numbers = weights = share_near_one = None  # set one by one

    @cached_property
    def composition(self) -> np.ndarray:
        return np.bincount(self.numbers, minlength=ELEMENTS)

    @cached_property
    def pairs(self) -> np.ndarray:
        kinds = np.unique(self.numbers)
        return np.unique(pair_codes(kinds[:, None], kinds[None, :]))

    def _rising(self, *shape: int) -> np.ndarray:
        steps = self.rng.random(shape) ** 8
        levels = np.cumsum(steps, axis=-1)
        return (levels / levels[..., -1:] * 65535).astype(np.uint16)

    @cached_property
    def density(self) -> np.ndarray:
        return self._rising(256)

    @cached_property
    def plain_density(self) -> np.ndarray:
        return self._rising(64)

    @cached_property
    def local_densities(self) -> np.ndarray:
        return self._rising(self.n_atoms, 64)

    @cached_property
    def unnormalised(self) -> np.ndarray:
        return np.sort(20.0 * self.rng.random(32))

    @cached_property
    def degrees(self) -> np.ndarray:
        return self.rng.integers(0, 90, size=self.n_atoms).astype(float)

    @cached_property
    def coordination(self) -> np.ndarray:
        return np.sort(self.rng.choice(self.degrees, size=32))

    @cached_property
    def spectrum(self) -> np.ndarray:
        return np.sort(2.0 * self.rng.random(self.n_atoms))

    @cached_property
    def criteria(self) -> dict[str, np.ndarray]:
        lengths = {"paper": self.n_atoms, "density": 256, "nearest": 256, "unnormalised": 64}
        nearest = self.density / 65535
        return {
            name: nearest if name == "nearest" else np.ones(lengths.get(name, 1))
            for name in CRITERIA
        }

    def norms(self, name: str) -> Norms | None:
        if name == "force_error" and not self.held_out:
            return None
        return self._random_norms

    @cached_property
    def _random_norms(self) -> Norms:
        atoms = self.rng.random(self.n_atoms)
        return Norms(float(atoms.mean()), atoms)


def gathered(count: int, *, held_out: bool = False) -> Memory:
    memory = Memory(HELD_OUT if held_out else TRAINING)
    for key in range(count):
        memory.add(Cheap(key + 10**9 * held_out, held_out), {})
    return memory.settle()


@pytest.fixture(scope="module")
def train() -> Memory:
    return gathered(2500)


def test_a_profile_of_many_structures_of_all_elements_is_small(
    train: Memory, tmp_path: Path
) -> None:
    """What is kept is full long before 2500 structures; sums do not grow."""
    path = tmp_path / "profile.npz"
    profile = derive(train, gathered(900, held_out=True), HEADER)
    save(profile, path)
    assert path.stat().st_size <= MOST_BYTES
    assert load(path).fingerprint == profile.fingerprint
    assert len(train.structures) == 384
    told = [one for one in train.structures.values() if len(one.numbers)]
    assert len(told) >= 250
    counts = np.bincount(train.environments.columns["numbers"], minlength=ELEMENTS)
    assert (counts[1:90] >= 5).all()  # no element is lost


def test_memory_does_not_grow_with_the_number_of_structures() -> None:
    peaks = []
    for count in (800, 1600):
        tracemalloc.start()
        gathered(count)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < 1.05 * peaks[0] < 60e6


def test_rare_elements_keep_their_atoms_among_many_others() -> None:
    common = [Cheap(key) for key in range(400)]
    for one in common:
        one.__dict__["numbers"] = np.where(np.arange(one.n_atoms) % 2, 1, 6)
    rare = Cheap(10**6)
    rare.__dict__["numbers"] = np.full(rare.n_atoms, 92)
    memory = Memory()
    for one in [*common[:200], rare, *common[200:]]:
        memory.add(one, {})
    numbers = memory.settle().environments.columns["numbers"]
    assert np.sum(numbers == 92) == rare.n_atoms
    assert np.sum(numbers == 1) == np.sum(numbers == 6) == 256
