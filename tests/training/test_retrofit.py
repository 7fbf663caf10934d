"""A prior head for a trained model: no reference is read, and what must not move stays."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import torch
from ase import Atoms
from ase.build import molecule

from farfield.errors import CapabilityError, LabelError, ModelError
from farfield.potentials import TrainablePotential, fingerprint
from farfield.potentials.loading import load_potential
from farfield.priors import EMTPrior, compute, require
from farfield.structures import Labels, attach, require_labels
from farfield.training import Sample, TrainingSettings, fit
from farfield.training.statistics import force_scale

pytest.importorskip("mace", reason="mace-torch is not installed: pip install 'farfield[mace]'")

from farfield.potentials.mace import MacePotential
from farfield.training.new_head import with_prior_head
from farfield.training.retrofit import retrofit
from tests.potentials.conftest import ENERGIES, small_mace

PRIOR = EMTPrior()
SETTINGS = TrainingSettings(
    epochs=6, batch_size=4, learning_rate=0.02, ema_decay=0.5, held_out=0.25
)
HEAD = SETTINGS.model_copy(update={"update": "head"})


def trained(seed: int = 0) -> MacePotential:
    """A stand-in for a trained model: random weights, but forces as large as EMT's."""
    model = small_mace(seed)
    model.module.scale_shift.scale *= 50.0
    return model


def labelled(count: int = 12, names: tuple[str, ...] = ("CH3OH", "HCN")) -> list[Atoms]:
    """Rattled molecules and, at the end, isolated atoms, with the labels of EMT."""
    found = [molecule(names[index % len(names)]) for index in range(count)]
    for index, atoms in enumerate(found):
        atoms.rattle(0.05, seed=index)
    found += [Atoms([number]) for number in ENERGIES]
    for atoms in found:
        attach(atoms, require(compute(PRIOR, atoms), atoms, PRIOR), PRIOR.label_name)
    return found


def known(structures: Sequence[Atoms]) -> list[Labels]:
    return require_labels(structures, PRIOR.label_name, energy=True, purpose="a test")


def forces(potential: TrainablePotential, structures: Sequence[Atoms], head: str) -> np.ndarray:
    return np.concatenate([found.forces for found in potential.predict(structures, head)])


def prior_rms(potential: TrainablePotential, structures: Sequence[Atoms]) -> float:
    wanted = np.concatenate([label.known_forces for label in known(structures)])
    return float(np.sqrt(np.mean((forces(potential, structures, PRIOR.name) - wanted) ** 2)))


def same_state(first: TrainablePotential, second: TrainablePotential) -> bool:
    one, two = first.state(), second.state()
    return list(one) == list(two) and all(torch.equal(one[key], two[key]) for key in one)


@pytest.fixture(scope="module")
def base() -> MacePotential:
    return trained()


@pytest.fixture(scope="module")
def bonded() -> list[Atoms]:
    return [atoms for atoms in labelled() if len(atoms) > 1]


@pytest.fixture(scope="module")
def unfitted(base: MacePotential) -> TrainablePotential:
    return with_prior_head(base, PRIOR.name, labelled(), known(labelled()))


@pytest.fixture(scope="module")
def all_moved(base: MacePotential) -> TrainablePotential:
    return retrofit(base, labelled(), PRIOR, SETTINGS)


def test_the_new_head_starts_near_the_labels(
    unfitted: TrainablePotential, bonded: list[Atoms]
) -> None:
    wanted, predicted = known(bonded), unfitted.predict(bonded, PRIOR.name)
    found = forces(unfitted, bonded, PRIOR.name)
    assert np.sqrt(np.mean(found**2)) == pytest.approx(force_scale(wanted))
    apart = [p.energy - (label.energy or 0.0) for p, label in zip(predicted, wanted, strict=True)]
    assert abs(np.mean(apart[::2])) < 1e-6  # eV: each composition is right in the mean
    assert abs(np.mean(apart[1::2])) < 1e-6


def test_the_new_head_can_start_from_the_main_heads_forces(
    base: MacePotential, bonded: list[Atoms]
) -> None:
    unscaled = with_prior_head(base, PRIOR.name, labelled(), known(labelled()), scaled=False)
    main = forces(base, bonded, base.heads[0])
    np.testing.assert_allclose(forces(unscaled, bonded, PRIOR.name), main, atol=1e-10)
    still = HEAD.model_copy(update={"learning_rate": 1e-12, "epochs": 1})
    grown = retrofit(base, labelled(), PRIOR, still, scaled=False)
    np.testing.assert_allclose(forces(grown, bonded, PRIOR.name), main, atol=1e-6)


def test_with_the_head_alone_no_old_prediction_moves_by_a_bit(
    base: MacePotential, unfitted: TrainablePotential, bonded: list[Atoms]
) -> None:
    before = base.state()
    found = retrofit(base, labelled(), PRIOR, HEAD)
    for head in base.heads:
        fitted = found.predict(bonded, head)
        for one, two, old in zip(
            fitted, unfitted.predict(bonded, head), base.predict(bonded, head), strict=True
        ):
            assert one.energy == two.energy
            assert np.array_equal(one.forces, two.forces)
            assert one.energy == pytest.approx(old.energy, abs=1e-8)  # adding a head rounds
            np.testing.assert_allclose(one.forces, old.forces, atol=1e-8)
    for name, value in found.representation_parameters().items():
        assert torch.equal(value, base.representation_parameters()[name]), name
    assert prior_rms(found, bonded) < 0.95 * prior_rms(unfitted, bonded)
    assert all(torch.equal(value, before[key]) for key, value in base.state().items())


def test_with_all_weights_the_old_heads_are_held_to_their_own_predictions(
    base: MacePotential,
    unfitted: TrainablePotential,
    all_moved: TrainablePotential,
    bonded: list[Atoms],
) -> None:
    assert prior_rms(all_moved, bonded) < 0.7 * prior_rms(unfitted, bonded)
    loose = unfitted.clone()
    samples = [Sample(a, PRIOR.name, label) for a, label in zip(bonded, known(bonded), strict=True)]
    fit(loose, samples, SETTINGS)
    for head in base.heads:
        own = forces(base, bonded, head)
        held = np.abs(forces(all_moved, bonded, head) - own).mean()
        moved = np.abs(forces(loose, bonded, head) - own).mean()
        assert 0.0 < held < 0.5 * moved, head


def test_reference_labels_are_not_read(base: MacePotential, all_moved: TrainablePotential) -> None:
    spoilt = labelled()
    for atoms in spoilt:
        wrong = np.full((len(atoms), 3), np.nan)
        attach(atoms, Labels(np.nan, wrong, None, "a level that must not be seen"))
    found = retrofit(base, spoilt, PRIOR, SETTINGS)
    assert same_state(found, all_moved)
    first, second = found.metadata, all_moved.metadata
    assert {k: v for k, v in first.items() if k != "history"} == {
        k: v for k, v in second.items() if k != "history"
    }


def test_it_is_judged_by_structures_it_did_not_learn_from(
    base: MacePotential, bonded: list[Atoms], monkeypatch: pytest.MonkeyPatch
) -> None:
    learned: list[Sample] = []

    def no_fit(potential: object, samples: list[Sample], *more: object, **rest: object) -> list:
        learned.extend(samples)
        return []

    monkeypatch.setattr("farfield.training.retrofit.fit", no_fit)
    found = retrofit(base, labelled(), PRIOR, SETTINGS)
    seen = {sample.atoms.positions.tobytes() for sample in learned}
    held_out = [atoms for atoms in bonded if atoms.positions.tobytes() not in seen]
    assert [sample.head for sample in learned] == [*9 * ["reference"], *9 * ["gfn2"], *9 * ["emt"]]
    assert (found.metadata["n_structures"], found.metadata["n_held_out"]) == (9, 3)
    assert found.metadata["residual_rms_eV_per_A"] == pytest.approx(prior_rms(found, held_out))
    assert 0.0 < found.metadata["residual_mae_eV_per_A"] < prior_rms(found, held_out)
    size = np.sqrt(np.mean(np.concatenate([one.known_forces for one in known(held_out)]) ** 2))
    assert found.metadata["prior_rms_eV_per_A"] == pytest.approx(size)
    drift = found.metadata["drift_mae_eV_per_A"]
    assert drift == pytest.approx({"reference": 0.0, "gfn2": 0.0}, abs=1e-8)


def test_the_drift_of_the_old_heads_is_told(
    base: MacePotential, all_moved: TrainablePotential, bonded: list[Atoms]
) -> None:
    places = np.random.default_rng(SETTINGS.seed).permutation(12)[:3]
    held_out = [bonded[place] for place in places]
    for head in base.heads:
        apart = forces(all_moved, held_out, head) - forces(base, held_out, head)
        assert all_moved.metadata["drift_mae_eV_per_A"][head] == pytest.approx(
            np.abs(apart).mean(), rel=1e-6
        )


def test_the_file_tells_what_it_was_made_from(
    base: MacePotential, all_moved: TrainablePotential, tmp_path: Path
) -> None:
    all_moved.save(tmp_path / "model.pt")
    found = load_potential(str(tmp_path / "model.pt"))[0].metadata  # type: ignore[attr-defined]
    assert found == all_moved.metadata
    assert (found["strategy"], found["prior"]) == ("retrofit", PRIOR.name)
    assert found["base_model"]["fingerprint"] == fingerprint(base)
    assert found["settings"] == SETTINGS.model_dump()
    assert found["levels_of_theory"] == {
        "reference": "unknown",
        "gfn2": "unknown",
        PRIOR.name: PRIOR.level_of_theory,
    }


def test_a_native_file_with_one_head_gets_a_second(bonded: list[Atoms], tmp_path: Path) -> None:
    trained().export(tmp_path / "native.model")
    single, _ = load_potential(str(tmp_path / "native.model"))
    assert isinstance(single, TrainablePotential)
    settings = HEAD.model_copy(update={"epochs": 1})
    found = retrofit(single, labelled(), PRIOR, settings)
    assert found.heads == (*single.heads, PRIOR.name)
    main = single.heads[0]
    np.testing.assert_allclose(forces(found, bonded, main), forces(single, bonded, main), atol=1e-8)


def test_elements_without_an_isolated_atom_are_unknown_to_the_new_head(
    base: MacePotential, tmp_path: Path
) -> None:
    nitriles = [atoms for atoms in labelled(6, names=("HCN",)) if len(atoms) > 1]
    made = with_prior_head(base, PRIOR.name, nitriles, known(nitriles))
    made.save(tmp_path / "model.pt")
    methanol = molecule("CH3OH")
    for found in (made, load_potential(str(tmp_path / "model.pt"))[0]):
        assert found.head_species(PRIOR.name) == {1, 6, 7}
        assert found.head_species("reference") == found.species == set(ENERGIES)
        with pytest.raises(ModelError, match="holds O, and the head 'emt'"):
            found.predict([nitriles[0], methanol], PRIOR.name)
        with pytest.raises(ModelError, match="holds O"):
            found.calculator(PRIOR.name).get_potential_energy(methanol)
        assert np.isfinite(found.predict([methanol])[0].energy)
    with pytest.raises(CapabilityError, match="export the head 'reference'"):
        made.export(tmp_path / "native.model", PRIOR.name)


class Killed(Exception):
    """Stands in for a kill."""


def test_a_killed_retrofit_ends_with_the_same_model(
    all_moved: TrainablePotential, tmp_path: Path
) -> None:
    def stop(record: dict[str, float]) -> None:
        if record["epoch"] == 3:
            raise Killed

    path = tmp_path / "run.checkpoint"
    with pytest.raises(Killed):
        retrofit(trained(), labelled(), PRIOR, SETTINGS, checkpoint=path, report=stop)
    resumed = retrofit(trained(), labelled(), PRIOR, SETTINGS, checkpoint=path)
    assert same_state(resumed, all_moved)
    assert resumed.metadata["history"][1]["loss"] == all_moved.metadata["history"][1]["loss"]


def test_a_checkpoint_serves_one_run_alone(
    base: MacePotential, unfitted: TrainablePotential, bonded: list[Atoms], tmp_path: Path
) -> None:
    samples = [Sample(a, PRIOR.name, label) for a, label in zip(bonded, known(bonded), strict=True)]
    path = tmp_path / "run.checkpoint"
    one = SETTINGS.model_copy(update={"epochs": 1})
    fit(unfitted.clone(), samples, one, checkpoint=path)
    fit(unfitted.clone(), samples, one, checkpoint=path)
    frozen = unfitted.clone()
    with pytest.raises(ModelError, match="another start"):
        fit(
            frozen,
            samples,
            one,
            frozen=frozen.representation_parameters().values(),
            checkpoint=path,
        )
    other = unfitted.clone()
    with torch.no_grad():
        next(iter(other.representation_parameters().values())).mul_(1.1)
    with pytest.raises(ModelError, match="another start"):
        fit(other, samples, one, checkpoint=path)


def test_what_cannot_be_retrofitted_is_told(
    base: MacePotential, all_moved: TrainablePotential
) -> None:
    structures = labelled()
    with pytest.raises(CapabilityError, match="a head for the prior 'emt' already"):
        retrofit(all_moved, structures, PRIOR, SETTINGS)
    with pytest.raises(LabelError, match="at least 2"):
        retrofit(base, structures[:1] + structures[-4:], PRIOR, SETTINGS)
    still = [atoms for atoms in structures if len(atoms) > 1]
    for atoms in still:
        attach(atoms, Labels(0.0, np.zeros((len(atoms), 3)), None, "none"), PRIOR.label_name)
    with pytest.raises(LabelError, match="all forces of the prior are zero"):
        retrofit(base, still, PRIOR, SETTINGS)
    with pytest.raises(LabelError, match="the head of emt"):
        retrofit(base, [molecule("CH4"), molecule("HCN")], PRIOR, SETTINGS)
