"""Two phases: the prior alone teaches first, and what is frozen then stays bit for bit."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import torch
from ase import Atoms
from ase.build import molecule

from farfield.errors import CapabilityError, LabelError
from farfield.priors import EMTPrior, compute, require
from farfield.structures import Labels, attach
from farfield.training import Sample, TrainingSettings, fit, force_mae
from farfield.training.training_set import TrainingSet

pytest.importorskip("mace", reason="mace-torch is not installed: pip install 'farfield[mace]'")

from farfield.potentials.mace import MacePotential, MaceSettings, create_mace
from farfield.training.freeze import freeze, two_phases

PRIOR = EMTPrior()
SETTINGS = TrainingSettings(
    epochs=4, pretrain_epochs=3, batch_size=4, learning_rate=0.02, ema_decay=0.5
)


def labelled(names: Sequence[str], count: int, *, factor: float = 1.5) -> list[Atoms]:
    """Rattled molecules with the labels of EMT, and a reference that is a multiple of them."""
    found = [molecule(names[index % len(names)]) for index in range(count)]
    for index, atoms in enumerate(found):
        atoms.rattle(0.05, seed=index)
    found += [Atoms([number]) for number in (1, 6, 7, 8)]
    for atoms in found:
        cheap = require(compute(PRIOR, atoms), atoms, PRIOR)
        assert cheap.energy is not None
        attach(atoms, cheap, PRIOR.label_name)
        attach(atoms, Labels(factor * cheap.energy, factor * cheap.known_forces, None, "A"))
    return found


def training_set(factor: float = 1.5) -> TrainingSet:
    """Few structures with reference labels, more with those of the prior."""
    few = labelled(["CH3OH"], 6, factor=factor)
    return two_phases(few, labelled(["CH3OH", "HCN"], 12), PRIOR)


def untrained(learned: TrainingSet, **size: int) -> MacePotential:
    settings = {"channels": 4, "max_ell": 1, "radial_widths": [8], "dtype": "float64", **size}
    return create_mace(
        MaceSettings(**settings),  # type: ignore[arg-type]
        learned.energies,
        learned.scales,
        mean_neighbours=8.0,
        seed=0,
    )


@cache
def trained(trainable: str, factor: float = 1.5) -> MacePotential:
    learned = training_set(factor)
    model = untrained(learned)
    freeze(model, learned, SETTINGS.model_copy(update={"trainable": trainable}))
    return model


def same(one: dict[str, torch.Tensor], two: dict[str, torch.Tensor]) -> set[str]:
    """Names of the parameters that are equal bit for bit."""
    return {name for name in one if torch.equal(one[name], two[name])}


@pytest.fixture(scope="module")
def pretrained() -> MacePotential:
    """What the first phase alone makes."""
    learned = training_set()
    model = untrained(learned)
    settings = SETTINGS.model_copy(update={"epochs": SETTINGS.pretrain_epochs})
    fit(model, learned.of(PRIOR.name), settings)
    return model


def test_with_the_head_alone_the_representation_and_the_prior_head_stay(
    pretrained: MacePotential,
) -> None:
    found, learned = trained("head"), training_set()
    before = pretrained.representation_parameters()
    assert same(before, found.representation_parameters()) == set(before)
    structures = learned.structures
    for one, two in zip(
        pretrained.predict(structures, PRIOR.name),
        found.predict(structures, PRIOR.name),
        strict=True,
    ):
        assert one.energy == two.energy
        np.testing.assert_array_equal(one.forces, two.forces)
    main = learned.of("reference")
    assert force_mae(found, main) < force_mae(pretrained, main)


def test_late_keeps_the_early_part_alone_and_all_keeps_nothing(pretrained: MacePotential) -> None:
    before = pretrained.representation_parameters()
    late = same(before, trained("late").representation_parameters())
    assert late == set(pretrained.early_parameters())
    assert same(before, trained("all").representation_parameters()) == set()


@pytest.mark.parametrize(
    ("changes", "kept"),
    [
        ({"trainable": "head"}, 0),
        ({"trainable": "late"}, 6),
        ({"trainable": "all"}, 6),
        ({"trainable": "all", "keep_prior": False}, 0),
    ],
)
def test_where_the_representation_moves_the_prior_head_learns_on(
    changes: dict[str, object], kept: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    phases: list[list[str]] = []

    def record(potential: object, samples: list[Sample], *rest: object, **named: object) -> list:
        phases.append([sample.head for sample in samples])
        return []

    monkeypatch.setattr("farfield.training.freeze.fit", record)
    learned = training_set()
    freeze(untrained(learned), learned, SETTINGS.model_copy(update=changes))
    assert phases == [[PRIOR.name] * 12, ["reference"] * 6 + [PRIOR.name] * kept]


def test_the_first_phase_reads_no_reference_label(pretrained: MacePotential) -> None:
    other = trained("head", factor=3.0)
    before = pretrained.representation_parameters()
    assert same(before, other.representation_parameters()) == set(before)
    assert len(same(other.state(), trained("head").state())) < len(other.state())


class Killed(Exception):
    """Stands in for a kill."""


@pytest.mark.parametrize("epoch", [2, 5])
def test_a_run_killed_in_either_phase_ends_with_the_same_weights(
    epoch: int, tmp_path: Path
) -> None:
    def stop(record: dict[str, float]) -> None:
        if record["epoch"] == epoch:
            raise Killed

    learned, path = training_set(), tmp_path / "run.checkpoint"
    with pytest.raises(Killed):
        freeze(untrained(learned), learned, SETTINGS, checkpoint=path, report=stop)
    resumed, epochs = untrained(learned), []
    told = freeze(
        resumed,
        learned,
        SETTINGS,
        checkpoint=path,
        report=lambda record: epochs.append(record["epoch"]),
    )
    assert epochs == list(range(epoch, 8))  # that of the kill had not been kept
    assert [len(told["pretraining"]["history"]), len(told["history"])] == [3, 4]
    whole = trained("late")
    assert same(whole.state(), resumed.state()) == set(whole.state())


def test_what_cannot_be_is_told() -> None:
    few = labelled(["CH3OH"], 4)
    strange = Atoms("CuH", [(0.0, 0.0, 0.0), (0.0, 0.0, 1.6)])
    attach(strange, require(compute(PRIOR, strange), strange, PRIOR), PRIOR.label_name)
    with pytest.raises(LabelError, match="no energy of an isolated atom of Cu"):
        two_phases(few, [*few, strange], PRIOR)
    for atoms in few:
        atoms.info["REF_level_of_theory"] = PRIOR.level_of_theory
    with pytest.raises(LabelError, match="two heads of one level"):
        two_phases(few, few, PRIOR)
    learned = training_set()
    with pytest.raises(CapabilityError, match="single layer"):
        freeze(untrained(learned, n_interactions=1), learned, SETTINGS)
