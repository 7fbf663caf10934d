"""The difference of two heads' errors is what its loss says, and falls when it is learned."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from ase.build import molecule

from farfield.potentials.trainable import BatchPrediction
from farfield.priors import EMTPrior, compute, require
from farfield.structures import Labels
from farfield.training import Sample, TrainingSettings, fit
from farfield.training.loop import force_errors
from farfield.training.pairs import difference_loss, pair_sizes, units
from farfield.training.samples import targets

pytest.importorskip("mace", reason="mace-torch is not installed: pip install 'farfield[mace]'")

from tests.potentials.conftest import ENERGIES, small_mace

HEADS = ("reference", "gfn2")
NONE = torch.empty(0)  # features, which no loss reads


def samples(n_single: int = 0) -> list[Sample]:
    """Both heads on rattled molecules, the main head first; some with the main head alone."""
    prior, found = EMTPrior(), {head: [] for head in HEADS}
    for index in range(6):
        atoms = molecule(("CH3OH", "HCN")[index % 2])
        atoms.rattle(0.05, seed=index)
        labels = require(compute(prior, atoms), atoms, prior)
        shift = sum(ENERGIES[int(number)] for number in atoms.numbers)
        for head, factor, scale in zip(HEADS, (1.0, 1 / 50), (1.3, 1.0), strict=True):
            if head == "reference" or index >= n_single:
                energy, forces = scale * labels.energy + factor * shift, scale * labels.forces
                found[head].append(Sample(atoms, head, Labels(energy, forces)))
    return [sample for head in HEADS for sample in found[head]]


def test_both_samples_of_a_structure_are_one_unit() -> None:
    given = samples(n_single=2)
    assert all(len(unit) == 1 for unit in units(given, together=False))
    found = units(given, together=True)
    assert sorted(map(len, found)) == [1, 1, 2, 2, 2, 2]
    assert all(len({id(sample.atoms) for sample in unit}) == 1 for unit in found)
    assert [id(s) for unit in units(given, together=False) for s in unit] == [id(s) for s in given]
    atoms = sum(len(unit[0].atoms) for unit in found if len(unit) == 2)
    assert pair_sizes(found) == (4, atoms)


def test_the_loss_is_that_of_the_difference() -> None:
    model, batch = small_mace(), units(samples(n_single=2), together=True)
    flat = [sample for unit in batch for sample in unit]
    target = targets(flat, model)
    random = torch.Generator().manual_seed(0)
    energy = target.energy + torch.randn(len(flat), generator=random, dtype=torch.float64)
    noise = torch.randn(target.forces.shape, generator=random, dtype=target.forces.dtype)
    loss = difference_loss(
        BatchPrediction(energy, target.forces + noise, NONE), target, batch, 2.0, 3.0
    )

    of_energy, of_forces, place, atom = [], [], 0, 0
    for unit in batch:
        size = len(unit[0].atoms)
        if len(unit) == 2:
            errors = (energy - target.energy)[place : place + 2].numpy() / size
            of_energy.append(errors[0] - errors[1])
            first, second = noise[atom : atom + 2 * size].numpy().reshape(2, size, 3)
            of_forces.append((first - second).ravel())
        place, atom = place + len(unit), atom + len(unit) * size
    expected = 2.0 * np.mean(np.square(of_energy))
    expected += 3.0 * np.mean(np.square(np.concatenate(of_forces)))
    assert loss.item() == pytest.approx(expected, rel=1e-5)


def test_errors_that_are_alike_cost_nothing_and_one_head_has_no_difference() -> None:
    model = small_mace()
    both, single = units(samples(), together=True), units(samples(), together=False)
    flat = [sample for unit in both for sample in unit]
    target = targets(flat, model)
    error = {id(sample.atoms): 0.1 * place for place, sample in enumerate(flat)}
    own = torch.cat([torch.full((len(s.atoms), 3), error[id(s.atoms)]) for s in flat])
    own = own.to(target.forces.dtype)
    alike = BatchPrediction(target.energy, target.forces + own, NONE)
    assert difference_loss(alike, target, both, 1.0, 1.0).item() == pytest.approx(0.0, abs=1e-8)
    apart = BatchPrediction(target.energy, 2.0 * target.forces, NONE)
    assert difference_loss(apart, target, both, 1.0, 1.0).item() > 0.01
    assert difference_loss(apart, target, single, 1.0, 1.0).item() == 0.0


def test_learning_it_brings_the_errors_of_the_heads_together() -> None:
    def spread(weight: float) -> float:
        model = small_mace()
        settings = TrainingSettings(
            epochs=25, batch_size=4, learning_rate=0.02, ema_decay=0.5, difference_weight=weight
        )
        fit(model, samples(), settings)
        main, cheap = (
            force_errors(model, [s for s in samples() if s.head == head]) for head in HEADS
        )
        return float(np.sqrt(np.mean((main - cheap) ** 2)))

    assert spread(5.0) < 0.8 * spread(0.0)
