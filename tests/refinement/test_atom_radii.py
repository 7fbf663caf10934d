"""A radius per atom: its forces, its limits, and what it is refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk
from ase.calculators.emt import EMT

from farfield.errors import CapabilityError
from farfield.potentials import BlackBoxPotential
from farfield.potentials.mace import MacePotential
from farfield.refinement.radius.atom_radii import AtomRadii, coordination_by_element
from farfield.verbs.export import export
from tests.potentials.conftest import small_mace

from .conftest import rattled

STEP = 1e-5  # Å


@pytest.fixture(scope="module")
def base() -> MacePotential:
    return small_mace()


@pytest.fixture(scope="module")
def targets(base: MacePotential) -> dict[int, float]:
    return coordination_by_element(base.graph(atoms) for atoms in rattled("CH3OH", 4))


def radii_of(model: AtomRadii, atoms: Atoms) -> np.ndarray:
    batch = model._model.batch([atoms], model.heads[0])
    sender, receiver = batch["edge_index"]
    vectors = batch["positions"][receiver] - batch["positions"][sender] + batch["shifts"]
    lengths = vectors.norm(dim=1, keepdim=True)
    embedding = model._model.module.radial_embedding
    return embedding.radii(lengths, batch["node_attrs"], batch["edge_index"]).detach().numpy()


@pytest.mark.parametrize("scale", [0.5, 1.0])
def test_forces_are_minus_the_gradient_though_the_radii_move(
    scale: float, base: MacePotential, targets: dict[int, float]
) -> None:
    model = AtomRadii(base, targets, scale=scale, stiffness=0.5)
    crystal = bulk("C", "diamond", a=3.6).repeat(2)
    crystal.rattle(0.1, seed=0)
    for atoms in (rattled("CH3CH2OH", 1)[0], crystal):
        direction = np.random.default_rng(1).normal(size=(len(atoms), 3))
        direction /= np.linalg.norm(direction)
        energies, moved = [], []
        for sign in (1.0, -1.0):
            copy = atoms.copy()
            copy.positions += sign * STEP * direction
            energies.append(model.predict([copy])[0].energy)
            moved.append(radii_of(model, copy))
        assert np.abs(moved[0] - moved[1]).max() > 1e-7, "the radii stand still: nothing is shown"
        slope = -(energies[0] - energies[1]) / (2 * STEP)
        found = float((model.predict([atoms])[0].forces * direction).sum())
        assert found == pytest.approx(slope, abs=1e-5)


def test_an_atom_with_the_neighbours_of_training_keeps_its_radius(base: MacePotential) -> None:
    atoms = bulk("C", "diamond", a=3.6)
    model = AtomRadii(base, coordination_by_element([base.graph(atoms)]))
    np.testing.assert_allclose(radii_of(model, atoms), base.cutoff, rtol=1e-9)
    expected = base.predict([atoms])[0]
    np.testing.assert_allclose(model.predict([atoms])[0].forces, expected.forces, atol=1e-8)
    denser = atoms.copy()
    denser.set_cell(0.9 * atoms.cell, scale_atoms=True)
    assert radii_of(model, denser).max() < base.cutoff


def test_an_element_without_a_target_keeps_its_radius(
    base: MacePotential, targets: dict[int, float]
) -> None:
    atoms = rattled("CH3OH", 1)[0]
    known = {number: target for number, target in targets.items() if number != 8}
    radii = radii_of(AtomRadii(base, known, scale=0.3), atoms)
    assert radii[atoms.numbers == 8] == pytest.approx(base.cutoff)
    assert radii[atoms.numbers != 8].max() < base.cutoff


def test_it_is_refused_where_it_cannot_be(
    base: MacePotential, targets: dict[int, float], tmp_path: Path
) -> None:
    with pytest.raises(CapabilityError, match="only a MACE"):
        AtomRadii(BlackBoxPotential(EMT(), 4.5), targets)
    model = AtomRadii(base, targets)
    with pytest.raises(CapabilityError, match="export"):
        export(model, tmp_path / "x.model")
    with pytest.raises(CapabilityError, match="made from"):
        model.with_cutoff(3.0, "taper")
