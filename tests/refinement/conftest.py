"""A two-head MACE and unlabelled structures that it was not made for."""

from __future__ import annotations

import numpy as np
import pytest
from ase import Atoms
from ase.build import molecule

from farfield.potentials.mace import MacePotential
from farfield.priors import EMTPrior
from farfield.shifts import Profile, observe
from farfield.shifts.profile import fit
from farfield.structures import Labels, attach, without_labels
from tests.potentials.conftest import ENERGIES, small_mace

PRIOR = EMTPrior()


def rattled(name: str, count: int, seed: int = 0) -> list[Atoms]:
    """Copies of a molecule with reference labels that are plain random numbers."""
    random, found = np.random.default_rng(seed), []
    for index in range(count):
        atoms = molecule(name)
        atoms.rattle(0.08, seed=seed + index)
        energy = sum(ENERGIES[int(number)] for number in atoms.numbers)
        attach(atoms, Labels(energy, random.normal(size=(len(atoms), 3)), None, "random"))
        found.append(atoms)
    return found


@pytest.fixture
def two_heads() -> MacePotential:
    """Random weights, with a head for the prior EMT."""
    return small_mace().with_head(PRIOR.name, dict.fromkeys(ENERGIES, 0.0))


@pytest.fixture(scope="session")
def _tiny() -> MacePotential:
    model = small_mace(channels=4, max_ell=1)
    return model.with_head(PRIOR.name, dict.fromkeys(ENERGIES, 0.0))


@pytest.fixture
def tiny(_tiny: MacePotential) -> MacePotential:
    """The same, as small as it can be."""
    return _tiny.clone()


@pytest.fixture
def few() -> list[Atoms]:
    """Some unlabelled structures, that cost little."""
    return without_labels([*rattled("HCN", 3, seed=300), *rattled("H2O", 3, seed=400)])


@pytest.fixture
def replayed() -> list[Atoms]:
    """Some training structures, that cost little."""
    return [*rattled("HCN", 3, seed=50), *rattled("NH3", 3, seed=60)]


@pytest.fixture
def train() -> list[Atoms]:
    return [*rattled("CH3OH", 12), *rattled("HCN", 8, seed=50)]


@pytest.fixture
def test_set() -> list[Atoms]:
    return rattled("CH3CONH2", 8, seed=100)


@pytest.fixture
def profile(two_heads: MacePotential, train: list[Atoms]) -> Profile:
    observations = observe(train, potential=two_heads)
    return fit(observations, seed=0, header={"cutoff": two_heads.cutoff})
