"""The loop learns, repeats itself bit for bit, and goes on after a kill."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from ase.build import molecule

from farfield.errors import ConfigError, ModelError
from farfield.priors import EMTPrior, compute, require
from farfield.structures import Labels
from farfield.training import Sample, TrainingSettings, fit, force_mae, load_settings
from farfield.training.loop import best_epoch

pytest.importorskip("mace", reason="mace-torch is not installed: pip install 'farfield[mace]'")

from farfield.potentials.mace import MacePotential
from tests.potentials.conftest import ENERGIES, small_mace

SETTINGS = TrainingSettings(epochs=6, batch_size=4, learning_rate=0.02, ema_decay=0.5, seed=3)


def samples() -> list[Sample]:
    """Rattled molecules with forces of EMT, a toy for H, C, N and O but a smooth one."""
    prior, found = EMTPrior(), []
    for index in range(10):
        atoms = molecule(("CH3OH", "HCN")[index % 2])
        atoms.rattle(0.05, seed=index)
        labels = require(compute(prior, atoms), atoms, prior)
        shift = sum(ENERGIES[int(number)] for number in atoms.numbers)
        assert labels.energy is not None
        head = ("reference", "gfn2")[index % 2]
        factor = 1.0 if head == "reference" else 1.0 / 50.0
        found.append(
            Sample(atoms, head, type(labels)(labels.energy + factor * shift, labels.forces))
        )
    return found


def weights(potential: object) -> list[torch.Tensor]:
    return list(potential.state().values())  # type: ignore[attr-defined]


def test_it_learns() -> None:
    model = small_mace()
    history = fit(model, samples(), TrainingSettings(**{**SETTINGS.model_dump(), "epochs": 25}))
    assert history[-1]["force_rmse"] < 0.5 * history[0]["force_rmse"]


def test_the_same_seed_gives_the_same_weights() -> None:
    first, second = small_mace(), small_mace()
    fit(first, samples(), SETTINGS)
    fit(second, samples(), SETTINGS)
    assert all(torch.equal(a, b) for a, b in zip(weights(first), weights(second), strict=True))


class Killed(Exception):
    """Stands in for a kill."""


def test_a_killed_run_ends_with_the_same_weights(tmp_path: Path) -> None:
    def stop(record: dict[str, float]) -> None:
        if record["epoch"] == 4:
            raise Killed

    whole, broken, resumed = small_mace(), small_mace(), small_mace()
    history = fit(whole, samples(), SETTINGS)
    path = tmp_path / "run.checkpoint"
    with pytest.raises(Killed):
        fit(broken, samples(), SETTINGS, checkpoint=path, report=stop)
    again = fit(resumed, samples(), SETTINGS, checkpoint=path)
    assert [record["loss"] for record in again] == [record["loss"] for record in history]
    assert all(torch.equal(a, b) for a, b in zip(weights(whole), weights(resumed), strict=True))


def test_a_checkpoint_of_another_run_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "run.checkpoint"
    fit(small_mace(), samples(), SETTINGS, checkpoint=path)
    other = TrainingSettings(**{**SETTINGS.model_dump(), "learning_rate": 0.01})
    with pytest.raises(ModelError, match="other data or settings"):
        fit(small_mace(), samples(), other, checkpoint=path)


def test_validation_is_by_the_averaged_weights_and_leaves_no_trace() -> None:
    judged, plain = small_mace(), small_mace()
    history = fit(judged, samples(), SETTINGS, validation=samples()[:2])
    fit(plain, samples(), SETTINGS)
    assert all(np.isfinite(record["valid_force_mae"]) for record in history)
    assert all(torch.equal(a, b) for a, b in zip(weights(judged), weights(plain), strict=True))


def as_they_are(model: MacePotential) -> list[Sample]:
    """Samples whose labels are the model's own predictions: training only moves away from them."""
    atoms = [sample.atoms for sample in samples()[:4:2]]
    predicted = model.predict(atoms, "reference")
    return [
        Sample(each, "reference", Labels(found.energy, found.forces, None, "its own"))
        for each, found in zip(atoms, predicted, strict=True)
    ]


def test_patience_ends_the_run_with_the_best_weights_also_after_a_kill(tmp_path: Path) -> None:
    def stop(record: dict[str, float]) -> None:
        if record["epoch"] == 2:
            raise Killed

    patient = SETTINGS.model_copy(update={"patience": 2, "epochs": 30})
    whole, broken, resumed = small_mace(), small_mace(), small_mace()
    judged = as_they_are(whole)
    history = fit(whole, samples(), patient, validation=judged)
    errors = [record["valid_force_mae"] for record in history]
    assert errors == sorted(errors) and len(errors) == 1 + 2
    assert force_mae(whole, judged) == errors[0]  # the weights of the first epoch, averaged
    path = tmp_path / "run.checkpoint"
    with pytest.raises(Killed):
        fit(broken, samples(), patient, validation=judged, checkpoint=path, report=stop)
    fit(resumed, samples(), patient, validation=judged, checkpoint=path)
    assert all(torch.equal(a, b) for a, b in zip(weights(whole), weights(resumed), strict=True))
    again, told = small_mace(), []
    assert len(fit(again, samples(), patient, validation=judged, checkpoint=path,
                   report=told.append)) == 3  # fmt: skip
    assert told == []  # an ended run does not go on
    assert all(torch.equal(a, b) for a, b in zip(weights(whole), weights(again), strict=True))


def test_patience_waits_while_it_gets_better_and_needs_something_to_judge_by() -> None:
    patient = SETTINGS.model_copy(update={"patience": 2})
    known = [0.4, 0.3, 0.35, 0.2, float("nan"), 0.3]
    history = [{"epoch": k + 1.0, "valid_force_mae": error} for k, error in enumerate(known)]
    assert [best_epoch(history[:length]) for length in range(7)] == [0, 1, 2, 2, 4, 4, 4]
    with pytest.raises(ConfigError, match="give --valid"):
        fit(small_mace(), samples(), patient)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("epoch: 3", "did you mean 'epochs'"),
        ("epochs: 0", "epochs"),
        ("learning_rate: fast", "learning_rate"),
        ("- 1", "key: value"),
        ("epochs: [", "not valid YAML"),
    ],
)
def test_bad_settings_are_one_clear_error(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "settings.yaml"
    path.write_text(text)
    with pytest.raises(ConfigError, match=message):
        load_settings(path)


def test_overrides_win(tmp_path: Path) -> None:
    path = tmp_path / "settings.yaml"
    path.write_text("epochs: 7\nseed: 1\n")
    settings = load_settings(path, epochs=9, seed=None)
    assert (settings.epochs, settings.seed) == (9, 1)


def test_a_strategy_has_defaults_of_its_own_for_what_is_not_given() -> None:
    settings = TrainingSettings(seed=3, update="head")
    retrofit = settings.for_strategy("retrofit")
    assert retrofit.epochs < settings.epochs
    assert (retrofit.seed, retrofit.update) == (3, "head")
    assert retrofit.for_strategy("retrofit") == retrofit
    assert TrainingSettings(epochs=200).for_strategy("retrofit").epochs == 200
    assert TrainingSettings(seed=3).for_strategy("joint") == TrainingSettings(seed=3)


@pytest.mark.parametrize("given", [{"update": "head"}, {"held_out": 0.2}])
def test_a_setting_of_another_strategy_is_an_error(given: dict[str, object]) -> None:
    with pytest.raises(ConfigError, match="a setting of the strategy retrofit"):
        TrainingSettings(**given).for_strategy("supervised")  # type: ignore[arg-type]
