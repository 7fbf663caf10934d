"""Structures that distillation makes: displaced copies, and snapshots of dynamics."""

from __future__ import annotations

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk, molecule
from ase.calculators.calculator import Calculator, all_changes
from ase.calculators.emt import EMT
from ase.neighborlist import natural_cutoffs, neighbor_list

from farfield.errors import CapabilityError
from farfield.potentials import BlackBoxPotential
from farfield.refinement.adaptation.displacements import displaced
from farfield.refinement.distillation.snapshots import snapshots


def bond_strain(start: Atoms, copies: list[Atoms]) -> float:
    """Root mean square change of the bond lengths, Å."""
    i, j = neighbor_list("ij", start, natural_cutoffs(start, mult=1.2))
    lengths = [np.linalg.norm(c.positions[i] - c.positions[j], axis=1) for c in [start, *copies]]
    return float(np.sqrt(np.mean((np.array(lengths[1:]) - lengths[0]) ** 2)))


def rms(start: Atoms, copy: Atoms) -> float:
    return float(np.sqrt(np.mean(np.sum((copy.positions - start.positions) ** 2, axis=1))))


def test_displacements_have_the_size_asked_for() -> None:
    start = [molecule("CH3CONH2"), bulk("Cu", cubic=True)]
    copies = displaced(start, 3, 0.1, seed=0)
    assert len(copies) == 6
    for index, copy in enumerate(copies):
        assert rms(start[index // 3], copy) == pytest.approx(0.1)
        assert (copy.numbers == start[index // 3].numbers).all()


def test_bonds_are_strained_less_than_by_independent_displacements() -> None:
    start = molecule("CH3CONH2")
    soft = displaced([start], 200, 0.1, seed=0)
    random, plain = np.random.default_rng(0), []
    for _ in range(200):
        copy = start.copy()
        drawn = random.normal(size=copy.positions.shape)
        copy.positions += drawn * 0.1 / np.sqrt(np.mean(np.sum(drawn**2, axis=1)))
        plain.append(copy)
    assert bond_strain(start, soft) < 0.6 * bond_strain(start, plain)


def test_displacements_follow_the_seed() -> None:
    start = [molecule("CH3OH")]
    first, again, other = (displaced(start, 2, 0.1, seed) for seed in (3, 3, 4))
    assert (first[1].positions == again[1].positions).all()
    assert (first[1].positions != other[1].positions).any()
    assert (first[0].positions != first[1].positions).any()


def test_snapshots_are_warm_and_whole() -> None:
    start = [molecule("CH3OH"), molecule("C2H6")]
    potential = BlackBoxPotential(EMT(), 4.0)
    options = {"copies": 3, "temperature": 100.0, "interval": 4}
    found = snapshots(start, potential, seed=0, **options)  # type: ignore[arg-type]
    assert len(found.structures) == 6 and not found.stops
    assert found.n_evaluations == 2 * (3 * 4 + 1)
    assert all(0.01 < rms(start[k // 3], atoms) < 0.5 for k, atoms in enumerate(found.structures))
    again = snapshots(start, potential, seed=0, **options)  # type: ignore[arg-type]
    other = snapshots(start, potential, seed=1, **options)  # type: ignore[arg-type]
    assert (found.structures[5].positions == again.structures[5].positions).all()
    assert (found.structures[5].positions != other.structures[5].positions).any()
    for atoms in found.structures:
        assert atoms.calc is None and "momenta" not in atoms.arrays


class Pulling(Calculator):
    """A force between two atoms, eV/Å; fails beyond a distance, Å."""

    implemented_properties = ["energy", "forces"]  # noqa: RUF012 - as ASE has it

    def __init__(self, force: float, fails_beyond: float = np.inf) -> None:
        super().__init__()
        self.force, self.fails_beyond = force, fails_beyond

    def calculate(self, atoms=None, properties=None, system_changes=all_changes) -> None:  # type: ignore[no-untyped-def]
        super().calculate(atoms, properties, system_changes)
        vector = self.atoms.positions[1] - self.atoms.positions[0]
        distance = np.linalg.norm(vector)
        if distance > self.fails_beyond:
            raise CapabilityError("the prior failed")
        pull = self.force * vector / distance
        self.results = {"energy": -self.force * distance, "forces": np.array([-pull, pull])}


@pytest.mark.parametrize(
    ("calculator", "reason"),
    [
        (Pulling(20.0), "a bond broke"),
        (Pulling(-20.0), "two atoms collided"),
        (Pulling(20.0, fails_beyond=1.3), "the prior failed"),
        (Pulling(np.nan), "not finite"),
    ],
)
def test_what_breaks_ends_there(calculator: Pulling, reason: str) -> None:
    dimer = Atoms("CO", [(0, 0, 0), (0, 0, 1.13)])
    found = snapshots(
        [dimer], BlackBoxPotential(calculator), copies=40, temperature=10.0, interval=2, seed=0
    )
    assert len(found.stops) == 1 and reason in found.stops[0]
    assert len(found.structures) < 30
    for atoms in found.structures:
        assert 0.8 < atoms.get_distance(0, 1) < 2.3
