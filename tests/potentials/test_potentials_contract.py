"""Every potential passes the public contract test, and planted bugs turn it red."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk
from ase.calculators.emt import EMT
from ase.calculators.lj import LennardJones

from farfield.errors import CapabilityError
from farfield.potentials import BlackBoxPotential, Prediction
from farfield.potentials.mace import MacePotential
from farfield.testing import check_potential

from .conftest import small_mace


@pytest.mark.parametrize("settings", [{}, {"max_L": 1, "channels": 4, "correlation": 3}])
def test_mace_passes(settings: dict[str, int], structures: list[Atoms]) -> None:
    check_potential(small_mace(**settings), structures)


def metals() -> list[Atoms]:
    found = [bulk("Cu", cubic=True), bulk("Au", cubic=True).repeat((2, 1, 1))]
    for index, atoms in enumerate(found):
        atoms.rattle(0.05, seed=index)
    return found


@pytest.mark.parametrize("cutoff", [None, 9.0])
def test_black_box_passes(cutoff: float | None) -> None:
    check_potential(BlackBoxPotential(EMT(), cutoff), metals())


def test_lennard_jones_passes() -> None:
    calculator = LennardJones(sigma=2.3, epsilon=0.4, rc=6.0, smooth=True)
    check_potential(BlackBoxPotential(calculator, 6.0), metals())


class Planted:
    """Stands in for ``MacePotential.predict`` with one bug."""

    def __init__(self, bug: str, real: MacePotential) -> None:
        self.bug, self.real = bug, MacePotential(real.module)

    def __call__(self, structures: Sequence[Atoms], head: str | None = None) -> list[Prediction]:
        if self.bug == "no periodic images":
            structures = [atoms.copy() for atoms in structures]
            for atoms in structures:
                atoms.pbc = False
        found = self.real.predict(structures, head)
        if self.bug == "sign":
            return [Prediction(p.energy, -p.forces, p.features) for p in found]
        if self.bug == "swapped axes":
            return [Prediction(p.energy, p.forces[:, [1, 0, 2]], p.features) for p in found]
        if self.bug == "batch order" and len(found) > 1:
            return [Prediction(p.energy + 0.01 * i, p.forces) for i, p in enumerate(found)]
        if self.bug == "ignores heads":
            return self.real.predict(structures)
        return found


@pytest.mark.parametrize(
    "bug", ["sign", "swapped axes", "batch order", "no periodic images", "ignores heads"]
)
def test_planted_bugs_turn_it_red(
    bug: str, mace: MacePotential, structures: list[Atoms], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mace, "predict", Planted(bug, mace))
    if bug == "ignores heads":
        monkeypatch.setattr(mace, "main_head", lambda head: head or "reference")
    with pytest.raises(AssertionError):
        check_potential(mace, structures)


def test_a_parameter_declared_on_both_sides_is_found(
    mace: MacePotential, structures: list[Atoms], monkeypatch: pytest.MonkeyPatch
) -> None:
    everything = dict(mace.module.named_parameters())
    monkeypatch.setattr(mace, "representation_parameters", lambda: everything)
    with pytest.raises(AssertionError, match="as representation and as head"):
        check_potential(mace, structures)


def test_the_early_part_of_a_mace_is_its_embedding_and_first_layer(mace: MacePotential) -> None:
    early = mace.early_parameters()
    rest = [name for name in mace.representation_parameters() if name not in early]
    assert {name.split(".")[0] for name in early} == {"node_embedding", "interactions", "products"}
    assert not [name for name in early if name.startswith(("interactions.1", "products.1"))]
    assert all(name.startswith(("interactions.1", "products.1")) for name in rest)
    with pytest.raises(CapabilityError, match="single layer"):
        small_mace(n_interactions=1).early_parameters()


@pytest.mark.parametrize("bug", ["none", "all", "of a head", "other order"])
def test_a_wrong_early_part_is_found(
    bug: str, mace: MacePotential, structures: list[Atoms], monkeypatch: pytest.MonkeyPatch
) -> None:
    early, shared = mace.early_parameters(), mace.representation_parameters()
    wrong = {
        "none": {},
        "all": shared,
        "of a head": early | mace.head_parameters(),
        "other order": dict(reversed(early.items())),
    }[bug]
    monkeypatch.setattr(mace, "early_parameters", lambda: wrong)
    with pytest.raises(AssertionError, match=r"early_parameters\(\)"):
        check_potential(mace, structures)


def test_features_are_invariant_and_not_trivial(
    mace: MacePotential, structures: list[Atoms]
) -> None:
    features = mace.predict(structures[:1])[0].features
    assert features is not None
    assert np.abs(features).max() > 1e-6
