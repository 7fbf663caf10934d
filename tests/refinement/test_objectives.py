"""Objectives: each falls when it is minimised, and says what it is said to say."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
from ase import Atoms

from farfield.errors import CapabilityError
from farfield.potentials.mace import MacePotential
from farfield.potentials.trainable import BatchPrediction
from farfield.priors import label
from farfield.refinement.objectives import (
    AnchorObjective,
    ConsistencyObjective,
    DenoiseObjective,
    Disagreement,
    DistilObjective,
    Objective,
    PriorObjective,
    ReplayObjective,
    Together,
)
from farfield.refinement.objectives.consistency import TEACHER_DECAY
from farfield.refinement.objectives.denoise import HEAD, SPRING, noisy, with_denoising_head
from farfield.refinement.objectives.prior import relative_energy_loss
from farfield.structures import Labels
from farfield.training import Sample, Targets

from .conftest import PRIOR, rattled


def by_prior(structures: list[Atoms]) -> list[Sample]:
    found = label(structures, PRIOR)
    return [
        Sample(atoms, PRIOR.name, labels)
        for atoms, labels in zip(structures, found, strict=True)
        if isinstance(labels, Labels)
    ]


def moved(potential: MacePotential) -> None:
    with torch.no_grad():
        for value in potential.representation_parameters().values():
            value.add_(0.1)


def prior(potential: MacePotential, structures: list[Atoms]) -> Objective:
    return PriorObjective(by_prior(structures), 4, energy_weight=1.0)


def denoise(potential: MacePotential, structures: list[Atoms]) -> Objective:
    return DenoiseObjective(structures, 4, 0.05)


def consistency(potential: MacePotential, structures: list[Atoms]) -> Objective:
    return ConsistencyObjective(potential, rattled("CH3CONH2", 2), 2)


def anchor(potential: MacePotential, structures: list[Atoms]) -> Objective:
    found = AnchorObjective(potential, 1.0)
    moved(potential)
    return found


@pytest.mark.parametrize(
    ("make", "rate"), [(prior, 0.02), (denoise, 0.02), (consistency, 0.002), (anchor, 0.02)]
)
def test_it_falls_when_it_is_minimised_in_the_representation(
    make: Callable[[MacePotential, list[Atoms]], Objective],
    rate: float,
    tiny: MacePotential,
    few: list[Atoms],
) -> None:
    if make is denoise:
        tiny = tiny.with_head(HEAD, dict.fromkeys(tiny.species, 0.0))
    objective = make(tiny, few)
    moving = list(tiny.representation_parameters().values())
    optimiser = torch.optim.Adam(moving, lr=rate)

    def loss() -> torch.Tensor:
        return objective.loss(tiny, np.random.default_rng(0))

    before = loss().item()
    for _ in range(8):
        optimiser.zero_grad()
        loss().backward()
        optimiser.step()
    assert 0.0 < loss().item() < 0.97 * before


def test_together_is_the_weighted_sum(
    tiny: MacePotential, replayed: list[Atoms], few: list[Atoms]
) -> None:
    def samples(structures: list[Atoms]) -> list[Sample]:
        labels = [Labels(0.0, np.full((len(atoms), 3), 0.1 * len(atoms))) for atoms in structures]
        return [
            Sample(a, tiny.heads[0], known) for a, known in zip(structures, labels, strict=True)
        ]

    distil = DistilObjective(samples(few), 3)
    prior = PriorObjective(by_prior(few), 4, weight=0.7, energy_weight=0.5)
    replay = ReplayObjective(samples(replayed), 5, weight=0.3, energy_weight=0.1)

    def gradient(loss: torch.Tensor) -> torch.Tensor:
        parameters = list(tiny.representation_parameters().values())
        found = torch.autograd.grad(loss, parameters, allow_unused=True)
        return torch.cat([value.ravel() for value in found if value is not None])

    random = np.random.default_rng(0)
    apart = distil.loss(tiny, random) + 0.7 * prior.loss(tiny, random)
    apart = apart + 0.3 * replay.loss(tiny, random)
    together = Together([distil, prior, replay]).loss(tiny, np.random.default_rng(0))
    assert together.item() == pytest.approx(apart.item(), rel=1e-9)
    torch.testing.assert_close(gradient(together), gradient(apart), rtol=1e-7, atol=1e-9)


def test_energies_count_up_to_a_constant_per_composition() -> None:
    symbols = ("HCN", "CNH", "H2O", "H2O")
    samples = [Sample(Atoms(word), "prior", Labels(None, None)) for word in symbols]

    def loss(energies: list[float]) -> float:
        count = len(energies)
        nothing = torch.zeros(0, 3)
        found = BatchPrediction(torch.tensor(energies).double(), nothing, nothing)
        zero = Targets(torch.zeros(count).double(), nothing, torch.full((count,), 3))
        return float(relative_energy_loss(samples[:count], found, zero))

    assert loss([5.0, 5.0, -2.0, -2.0]) == 0.0
    assert loss([5.0, 8.0, -2.0, -2.0]) == pytest.approx(2 * 0.5**2 / 4)  # 0.5 eV per atom
    assert loss([5.0, 8.0, -2.0]) == pytest.approx(0.5**2)  # one water is compared with nothing
    assert loss([7.0]) == 0.0


def test_the_denoising_head_learns_to_draw_atoms_back(
    tiny: MacePotential, few: list[Atoms]
) -> None:
    grown = with_denoising_head(tiny, few, 0.1, seed=0)
    assert grown.heads == (*tiny.heads, HEAD)
    for name, value in grown.representation_parameters().items():
        assert torch.equal(value, tiny.representation_parameters()[name]), name
    for head in tiny.heads:
        now, before = grown.predict(few, head)[0], tiny.predict(few, head)[0]
        np.testing.assert_allclose(now.forces, before.forces, atol=1e-9)
    random = np.random.default_rng(1)
    samples = [noisy(few[0], 0.1, random) for _ in range(30)]
    found = np.concatenate([p.forces for p in grown.predict([s.atoms for s in samples], HEAD)])
    wanted = np.concatenate([sample.labels.known_forces for sample in samples])
    assert np.mean((found - wanted) ** 2) < 0.97 * np.mean(wanted**2)
    displacement = samples[0].atoms.positions - few[0].positions
    np.testing.assert_allclose(samples[0].labels.known_forces, -SPRING * displacement)


def test_anchor_is_half_the_squared_distance(tiny: MacePotential) -> None:
    objective = AnchorObjective(tiny, 1.0)
    random = np.random.default_rng(0)
    assert objective.loss(tiny, random).item() == 0.0
    moved(tiny)
    count = sum(value.numel() for value in tiny.representation_parameters().values())
    assert objective.loss(tiny, random).item() == pytest.approx(0.5 * 0.1**2 * count)


def test_the_teacher_of_consistency_follows_the_model(
    tiny: MacePotential, few: list[Atoms]
) -> None:
    objective = ConsistencyObjective(tiny, few, 3)
    before = objective.state()
    moved(tiny)
    objective.advance(tiny)
    for old, new in zip(before, objective.state(), strict=True):
        torch.testing.assert_close(new, old + 0.1 * (1.0 - TEACHER_DECAY))
    objective.restore(before)
    assert all(torch.equal(a, b) for a, b in zip(before, objective.state(), strict=True))


def test_models_agree_no_better_for_forces_that_shrink(
    tiny: MacePotential, few: list[Atoms]
) -> None:
    judge = Disagreement(tiny, few)
    before = judge(tiny)
    weaker = tiny.clone()
    weaker.module.scale_shift.scale *= 0.1
    assert weaker.predict(few)[0].forces[0, 0] == pytest.approx(
        0.1 * tiny.predict(few)[0].forces[0, 0]
    )
    assert before > 0.0
    assert judge(weaker) == pytest.approx(before)


def test_consistency_needs_a_radius_that_can_shrink(
    tiny: MacePotential, few: list[Atoms], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tiny, "cutoff_modes", frozenset({"rescale"}))
    with pytest.raises(CapabilityError, match="use prior or denoise"):
        ConsistencyObjective(tiny, few, 3)
