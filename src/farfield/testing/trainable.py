"""The part of the potential's contract test that concerns parameters, heads and files."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from ase import Atoms

from farfield.errors import CapabilityError, ModelError
from farfield.potentials import Prediction, TrainablePotential
from farfield.potentials.loading import load_potential

ROUNDING = {torch.float64: 1e-10, torch.float32: 2e-5}  # eV and eV/Å


def check_trainable(potential: TrainablePotential, structures: Sequence[Atoms]) -> None:
    """Raise unless parameters, heads, state and files keep the contract.

    The potential is put back as it was.

    Raises
    ------
    AssertionError
        Naming the rule that is broken.
    """
    before = {head: potential.predict(structures, head) for head in potential.heads}
    _check_parameters(potential, structures)
    _check_state(potential, structures, before)
    _check_mixed_batch(potential, structures, before)
    _check_new_head(potential, structures, before)
    _check_file(potential, structures, before)
    for head in potential.heads:
        assert _apart(potential.predict(structures, head), before[head]) == 0.0, "it was changed"


def _apart(first: Sequence[Prediction], second: Sequence[Prediction]) -> float:
    return max(
        max(abs(one.energy - two.energy), float(np.abs(one.forces - two.forces).max()))
        for one, two in zip(first, second, strict=True)
    )


def _check_parameters(potential: TrainablePotential, structures: Sequence[Atoms]) -> None:
    shared, heads = potential.representation_parameters(), potential.head_parameters()
    both = {id(p) for p in shared.values()} & {id(p) for p in heads.values()}
    assert not both, "a parameter is declared as representation and as head"
    assert shared and heads, "representation and heads must both have parameters"
    everything = [*shared.values(), *heads.values()]
    states = {value.data_ptr() for value in everything}
    assert len(states) == len(everything), "a parameter is declared twice"
    _check_early(potential)
    for parameter in everything:
        parameter.requires_grad_(True)
        parameter.grad = None
    for head in potential.heads:
        batch = potential.batch(structures, head)
        prediction = potential.forward(batch, training=True)
        (prediction.forces.pow(2).mean() + prediction.energy.mean().to(potential.dtype)).backward()
    lost = [name for name, value in {**shared, **heads}.items() if value.grad is None]
    assert not lost, f"no gradient of energies and forces reaches {', '.join(lost[:3])}"
    for parameter in everything:
        parameter.grad = None


def _check_early(potential: TrainablePotential) -> None:
    """The early part is refused, or a true part of the representation, under the same names."""
    try:
        early = potential.early_parameters()
    except CapabilityError:
        return
    shared = potential.representation_parameters()
    assert early, "early_parameters() is empty: raise CapabilityError instead"
    strange = [name for name, value in early.items() if shared.get(name) is not value]
    assert not strange, f"early_parameters() tells {strange[0]}, which is no representation"
    assert len(early) < len(shared), "early_parameters() is the whole representation"
    places = [name for name in shared if name in early]
    assert list(early) == places, "early_parameters() has another order than the representation"


def _check_state(
    potential: TrainablePotential,
    structures: Sequence[Atoms],
    before: dict[str, list[Prediction]],
) -> None:
    head = potential.heads[0]
    state, copy = potential.state(), potential.clone()
    with torch.no_grad():
        for parameter in potential.representation_parameters().values():
            parameter.mul_(1.1)
    assert _apart(potential.predict(structures, head), before[head]) > 1e-6, (
        "moving the representation does not move the predictions"
    )
    assert _apart(copy.predict(structures, head), before[head]) == 0.0, "clone() shares weights"
    potential.restore(state)
    assert _apart(potential.predict(structures, head), before[head]) == 0.0, (
        "restore(state()) is not bit for bit"
    )


def _check_mixed_batch(
    potential: TrainablePotential,
    structures: Sequence[Atoms],
    before: dict[str, list[Prediction]],
) -> None:
    heads = [potential.heads[i % len(potential.heads)] for i in range(len(structures))]
    found = potential.forward(potential.batch(structures, heads), training=False)
    energies = found.energy.detach().cpu().numpy()
    expected = [before[head][index].energy for index, head in enumerate(heads)]
    apart = float(np.abs(energies - expected).max())
    assert apart < 10 * ROUNDING[potential.dtype], f"mixed heads in a batch differ by {apart:.1e}"


def _check_new_head(
    potential: TrainablePotential,
    structures: Sequence[Atoms],
    before: dict[str, list[Prediction]],
) -> None:
    assert potential.species is not None, "a trainable potential must tell its species"
    grown = potential.with_head("contract_test", dict.fromkeys(potential.species, -1.0), 2.0)
    assert grown.heads == (*potential.heads, "contract_test"), "the new head is not the last"
    for head in potential.heads:
        apart = _apart(grown.predict(structures, head), before[head])
        assert apart < ROUNDING[potential.dtype], (
            f"adding a head moved the head {head!r} by {apart:.1e} eV or eV/Å"
        )
    main = before[potential.heads[0]]
    for found, expected in zip(grown.predict(structures, "contract_test"), main, strict=True):
        apart = float(np.abs(found.forces - 2.0 * expected.forces).max())
        assert apart < 10 * ROUNDING[potential.dtype], (
            f"the forces of a new head of scale 2 are {apart:.1e} eV/Å off twice the main head's"
        )
    _check_missing_element(potential, structures)


def _check_missing_element(potential: TrainablePotential, structures: Sequence[Atoms]) -> None:
    """A head that has no energy of an element's isolated atom says so, and the others do not."""
    atoms = structures[0]
    assert potential.species is not None
    known = potential.species - {int(atoms.numbers[0])}
    grown = potential.with_head("contract_test", dict.fromkeys(known, -1.0))
    assert grown.head_species("contract_test") == known, "head_species tells other elements"
    try:
        grown.predict([atoms], "contract_test")
    except ModelError:
        grown.predict([atoms])
        return
    raise AssertionError("a head without the energy of an element must raise ModelError for it")


def _check_file(
    potential: TrainablePotential,
    structures: Sequence[Atoms],
    before: dict[str, list[Prediction]],
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model"
        potential.save(path)
        torch.load(path, weights_only=True)  # raises if it holds code
        loaded, rule = load_potential(str(path))
    assert rule == {} and loaded.heads == potential.heads, "the file lost its heads"
    for head in potential.heads:
        apart = _apart(loaded.predict(structures, head), before[head])
        assert apart == 0.0, f"the model read from its file differs by {apart:.1e}"
